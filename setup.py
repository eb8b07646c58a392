"""Packaging of fastreid_prune.

fastreid 1.4.0 pins torch 1.13.1, which has no build for Python >= 3.11, so it cannot be a dependency here:
it is installed with ``pip install --no-deps fastreid==1.4.0`` (or used from a git checkout on the path), and what
it really needs at run time is declared below. ``fastreid-prune doctor`` says what is missing.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = {}
exec((HERE / "fastreid_prune" / "version.py").read_text(encoding="utf-8"), VERSION)

# What fastreid itself imports.
FASTREID_NEEDS = [
    "termcolor",
    "tabulate",
    "scikit-learn",
    "tensorboard",
    "gdown",
    "Pillow",
    "PyYAML",
    "yacs",
]
REPORT = ["jinja2", "matplotlib"]
SWEEP = REPORT
# Minor versions of these change what they find or how they format. They need Python 3.11; the package does not.
CHECKS = [
    f"{check}; python_version >= '3.11'"
    for check in (
        "ruff>=0.17,<0.18",
        "mypy>=2.4,<2.5",
        "import-linter>=2.17,<3",
        "pre-commit",
        "types-PyYAML",
        "types-tabulate",
    )
]
DOCS = ["mkdocs<2", "mkdocs-material", "mkdocstrings[python]", "matplotlib"]
LIGHTNING = ["lightning>=2"]
TRANSFORMERS = ["transformers>=4.46", "accelerate"]
TEST = [
    "pytest",
    "pytest-timeout",
    "hypothesis",
    "selenium",
    "axe-core-python",
    *CHECKS,
    *SWEEP,
    *LIGHTNING,
    *TRANSFORMERS,
]

setup(
    name="fastreid_prune",
    version=VERSION["__version__"],
    description="Prune, relabel and clean re-identification training sets from fastreid's own logits.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["fastreid_prune", "fastreid_prune.*"]),
    package_data={
        "fastreid_prune": [
            "py.typed",
            "report/templates/*",
            "report/static/*",
            "purify/*.json",
            "configs/*.yml",
            "configs/*/*.yml",
        ]
    },
    install_requires=[
        "torch>=2.3",
        "torchvision>=0.18",
        "numpy>=1.26",
        "click>=8.1",
        "rich>=13",
        "pyarrow>=15",
        "ijson>=3.2",
        "scipy",
        "typing_extensions",
        *FASTREID_NEEDS,
    ],
    extras_require={
        # Both distributions install the module ``faiss``: choose one.
        "cpu": ["faiss-cpu>=1.8"],
        # machine code for NVIDIA's cards from Volta to Hopper, and PTX for later ones; needs a driver for CUDA 12
        "gpu": ["faiss-gpu>=1.15.1"],
        "report": REPORT,
        # benchmarks/evaluation.py compiles fastreid's own ranking, benchmark_purification.py runs cleanlab.
        "benchmark": ["cython>=3", "cleanlab>=2.6"],
        # Scoring with other trainers: api/lightning_callback.py, api/transformers_trainer.py.
        "lightning": LIGHTNING,
        "transformers": TRANSFORMERS,
        "sweep": SWEEP,
        "ray": ["ray>=2.9", *SWEEP],
        "docs": DOCS,
        "test": TEST,
    },
    entry_points={"console_scripts": ["fastreid-prune = fastreid_prune.cli:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
