"""What there is to draw of the industry environments, one file a view. The drawing is in `unseen.envs.watch`."""
