"""Packaging: what is installed, and under which name."""

from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent


def requirements() -> list[str]:
    """The packages that serving needs, read from the one list that names them."""
    lines = (HERE / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def version() -> str:
    """The version, read from the package's source without importing it."""
    for line in (HERE / "greendns" / "__init__.py").read_text().splitlines():
        if line.startswith("__version__"):
            return line.split('"')[1]
    raise RuntimeError("greendns/__init__.py does not tell its version")


setup(
    name="greendns",
    version=version(),
    description="An authoritative GeoDNS server on gevent that reads geodns's zone files",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=["greendns"],
    package_data={"greendns": ["py.typed"]},
    python_requires=">=3.10",
    install_requires=requirements(),
    extras_require={
        # July 2018, CC BY-SA 4.0: for trying things out.
        "geolite2": ["maxminddb-geolite2==2018.703"],
        "test": [
            "pytest>=8",
            "pytest-xdist>=3",
            "hypothesis>=6",
            "dnspython>=2.8",
            "mmdb-writer>=0.2.5",
            "pyperf>=2.6",
            "ruff>=0.6",
            "mypy>=1.11",
            "types-toml",
        ],
    },
    entry_points={"console_scripts": ["greendns = greendns.cli:main"]},
)
