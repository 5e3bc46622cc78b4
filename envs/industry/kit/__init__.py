"""Physics of the industry environments, independent of their tasks."""
