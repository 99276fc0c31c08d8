# make run     the demo on http://127.0.0.1:7000      make test   everything that must hold, in minutes
# make help    all targets
SHELL := /bin/bash
.DEFAULT_GOAL := help
KEHU := build/release/kehu

.PHONY: help setup build run install dist test test-setup test-long bench fuzz format lint asan tsan clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install missing Debian packages and DuckDB
	@scripts/setup

build: setup ## build/release/kehu
	@scripts/build release kehu

run: build ## set up, build and start the demo on http://127.0.0.1:7000; DEMO='--help' and other options
	@$(KEHU) demo $(DEMO)

install: build ## into PREFIX (/usr/local), below DESTDIR: program, library, service, documents
	@DESTDIR=$(DESTDIR) cmake --install build/release --strip --prefix $(or $(PREFIX),/usr/local)

dist: build ## build/dist/kehu-VERSION-linux-x86_64.tar.gz: the same for another machine
	@scripts/dist

test-setup: setup
	@scripts/setup tests

test: test-setup ## unit tests, scripts, crash loops, acceptance: everything that must hold
	@scripts/test

test-long: test-setup ## the same with larger sizes: more kills, power cuts and seeds (about an hour)
	@KEHU_LONG=1 scripts/test

bench: setup ## the table of docs/benchmark.md, measured on this machine, and its yardsticks
	@scripts/build release kehu rocksdb_yardstick
	@$(KEHU) bench
	@scripts/yardsticks

fuzz: setup ## every fuzz target for 30 seconds
	@scripts/fuzz

asan: setup ## unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/sanitize asan

tsan: setup ## unit tests under ThreadSanitizer
	@scripts/sanitize tsan

format: setup ## clang-format over our sources
	@git ls-files '*.cc' '*.h' | xargs clang-format-14 -i

lint: build ## clang-format check, clang-tidy, layers
	@scripts/lint

clean: ## remove what was built
	@rm -rf build
