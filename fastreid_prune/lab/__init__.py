"""What experiments need: the demo, test beds, grids of trainings."""
