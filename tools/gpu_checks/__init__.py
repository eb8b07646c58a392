"""The checks of ``tools/gpu_check.py``, one file a subject."""
