# What a newcomer types. Nothing needs to be installed first but Python 3.11; see config/bootstrap.py.
PYTHON ?= python3
RUN := .venv/bin
TEST := .venv-test/bin
# Kept bytecode halves the start of everything below.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test lint front clean

help:
	@echo "make run    start Parlour here and print its address (PORT=8000, DATA_DIR=.data)"
	@echo "make test   everything that must hold before a commit: lint, types, migrations, tests"
	@echo "make lint   the same without the tests"
	@echo "make front  build the page's scripts and styles"
	@echo "make clean  remove what was built; .data, with everything people wrote, stays"

run:
	@$(PYTHON) -m config.bootstrap run
	@exec $(RUN)/python manage.py start

front:
	@$(PYTHON) -m config.bootstrap npm run build

lint:
	@$(PYTHON) -m config.bootstrap test
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .
	$(TEST)/python -m mypy
	$(TEST)/lint-imports
	$(TEST)/python manage.py makemigrations --check --dry-run
	$(PYTHON) -m config.bootstrap npm run --silent check

test: lint
	$(PYTHON) -m config.bootstrap npm test --silent
	$(TEST)/python -m pytest -n 2 --dist loadgroup

clean:
	rm -rf .venv .venv-test .pip .node node_modules config/static/dist staticfiles
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
