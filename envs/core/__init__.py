"""The engine: records, parameters, random numbers, kernels and the Gymnasium interface. Independent of any task."""
