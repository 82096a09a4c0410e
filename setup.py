"""Packaging: what is installed, and under which name."""

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    from Cython.Build import cythonize
except ImportError:  # then the source runs as it is
    cythonize = None

HERE = Path(__file__).parent
# `annotation_typing`: the types are those of the .pxd; an annotation `int` is no C integer.
# `nonecheck`: None where an object was promised is an AttributeError, as in Python, and no crash.
DIRECTIVES = {"language_level": 3, "annotation_typing": False, "nonecheck": True, "embedsignature": False}


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


def extensions() -> list[Extension]:
    """Every module with a .pxd beside it, and every .pyx."""
    if cythonize is None:
        return []
    package = HERE / "greendns"
    sources = [path.with_suffix(".py") for path in sorted(package.glob("*.pxd")) if path.with_suffix(".py").exists()]
    sources += sorted(package.glob("*.pyx"))
    modules = [_extension(path.stem, str(path.relative_to(HERE))) for path in sources]
    # What Cython needs for memoryviews is half of every module's C: once is enough.
    shared = _extension("_shared", "greendns/_shared.c")
    return cythonize(
        [*modules, shared],
        compiler_directives=DIRECTIVES,
        build_dir="build/cython",
        shared_utility_qualified_name=shared.name,
        quiet=True,
    )


def _extension(name: str, source: str) -> Extension:
    # Without debug information, which doubles time and size of the build. -O3 against -O2: an answer has 2 % fewer
    # instructions, the files are 5 % larger.
    return Extension(f"greendns.{name}", [source], extra_compile_args=["-O3", "-g0"])


class BuildAllOrNothing(build_ext):
    """Without a compiler the source runs as it is.

    Compiled modules share their classes: some of them without the others could not be imported.
    """

    def run(self) -> None:
        is_inplace = self.inplace
        try:
            super().run()
        except Exception as error:  # compilers fail in many ways
            for path in (HERE / "greendns").glob("*.so") if is_inplace else ():
                path.unlink()
            self.extensions = []
            self.warn(f"nothing is compiled, GreenDNS will run as pure Python: {error}")


setup(
    name="greendns",
    version=version(),
    description="An authoritative GeoDNS server on gevent that reads geodns's zone files",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=["greendns"],
    package_data={"greendns": ["py.typed", "*.pxd", "*.pyx"]},
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildAllOrNothing},
    options={"build_ext": {"parallel": os.cpu_count()}},
    python_requires=">=3.10",
    install_requires=requirements(),
    extras_require={
        # July 2018, CC BY-SA 4.0: for trying things out.
        "geolite2": ["maxminddb-geolite2==2018.703"],
        "test": [
            "Cython>=3.1",
            "setuptools>=68",
            "pytest>=8",
            "pytest-xdist>=3",
            "hypothesis>=6",
            "dnspython>=2.8",
            "mmdb-writer>=0.2.5",
            "pyperf>=2.6",
            "supervisor>=4.3",
            "ruff>=0.6",
            "mypy>=1.11",
            "types-toml",
        ],
    },
    entry_points={"console_scripts": ["greendns = greendns.cli:main"]},
)
