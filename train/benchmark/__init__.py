"""`unseen benchmark`: agents x environments x levels x seeds as a resumable queue, and the report of its results."""
