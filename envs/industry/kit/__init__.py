"""Physics that environments of industry share, apart from their tasks."""
