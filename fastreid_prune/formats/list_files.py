"""What the files of published lists are called: what ``export`` writes and ``importing`` looks for."""

# the paper's three, as its authors announced them; the ranking's suffix is missing in their description
FILE_NAMES, RANKING, VERDICTS = "fpath_list.npy", "Ranking_list.npy", "Mislabeled_outlier_samples.pickle"
RANKING_WITHOUT_SUFFIX = "Ranking_list"

# ours: what the lists are, for programs, and the digests of all files
INFO, CHECKSUMS = "lists.json", "SHA256SUMS"
SCHEMA_VERSION = 1

# Market-1501's layout: the folder of the training images, and which image each name in it is
IMAGES_FOLDER, NAMES = "bounding_box_train", "names.csv"
# the endings of images in it, in small letters
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
