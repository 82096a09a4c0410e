# `make serve` and `make test` each set up all they need in .venv; python3 with venv is enough.

PYTHON ?= python3
VENV := .venv
LISTEN ?= 127.0.0.1:5353
HTTP ?= 127.0.0.1:8053
# What is compiled, where there is a compiler: again whenever one of these is newer.
SOURCES := $(wildcard greendns/*.py greendns/*.pxd greendns/*.pyx)
# Three processes on two cores even out the waiting of tests for servers.
JOBS ?= 3
# Tests of what is the same on both builds, since nothing of it is compiled, or of both at once.
SAME := meta bench load twin compat/test_g00_command_line.py compat/test_g02_geodns_conf.py compat/test_g03_zone_directory.py \
  $(patsubst %,live/test_%.py,activation control first_process hot_swap http isolation namespaces notify privileges \
  resources signals supervisord upgrade workers)
FUZZ_SECONDS ?= 60
# No test needs it.
FUZZER := atheris>=3

.PHONY: serve build test pure lint types check checks fuzz bench clean

serve: $(VENV)/.serve ## serve conf/ on $(LISTEN), with the GeoLite2 City of the package maxminddb-geolite2
	$(VENV)/bin/greendns serve --config conf --listen $(LISTEN) --http $(HTTP) \
	  --geoip "$$($(VENV)/bin/python -c 'import importlib.util as u; print(u.find_spec("_maxminddb_geolite2").submodule_search_locations[0])')"

build: $(VENV)/.built ## compile what can be; without a compiler the source runs

test: $(VENV)/.built ## run all tests
	$(VENV)/bin/python -m pytest -n $(JOBS)

pure: $(VENV)/.test ## run the tests on the Python source, with nothing compiled, but for those that are the same there
	GREENDNS_PURE=1 $(VENV)/bin/python -m pytest -n $(JOBS) $(patsubst %,--ignore=tests/%,$(SAME))

lint: $(VENV)/.test ## style and formatting
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.test ## mypy --strict
	$(VENV)/bin/mypy

check: lint types test

checks: $(VENV)/.built ## write docs/checks.md and docs/amplification.md from what a live server answers
	$(VENV)/bin/python -m tests.checks

fuzz: $(VENV)/.built $(VENV)/.fuzz ## look for packets that break an answer, for FUZZ_SECONDS
	$(VENV)/bin/python -m tests.fuzz.hunt --seconds $(FUZZ_SECONDS)

bench: $(VENV)/.built ## compare with gdnsd and NSD (tests/bench/README.md); BENCH="--quick" takes less than a minute
	$(VENV)/bin/python -m tests.bench $(BENCH)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: setup.py requirements.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[geolite2]'
	touch $@

$(VENV)/.test: setup.py requirements.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[geolite2,test]'
	touch $@

$(VENV)/.fuzz: | $(VENV)/.test
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(FUZZER)'
	touch $@

$(VENV)/.built: $(SOURCES) $(VENV)/.test
	$(VENV)/bin/python setup.py -q build_ext --inplace
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info greendns/*.so
