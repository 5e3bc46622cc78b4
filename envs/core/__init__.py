"""The world: records, random numbers, physics, sight, sensors and the Gymnasium surface. It knows no task."""
