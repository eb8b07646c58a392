"""The training script that ships with the package; alone in its folder, which goes on the path when it runs."""
