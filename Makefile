# The few commands that people need; the build itself is described by CMakeLists.txt. `make help` lists them.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
INGLE := build/release/bin/ingle
MODELS := $(CURDIR)/build/models

# make run PROMPT='any "characters" $HOME': taken as they are, and handed on by the environment, past every shell.
ifeq ($(origin PROMPT),command line)
export RUN_PROMPT := $(value PROMPT)
unexport PROMPT
endif
QUESTION := What is a hash table? Answer in two sentences.

.PHONY: help run test build web deep bench screenshots frames load coverage format lint install clean
.DEFAULT_GOAL := help

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):.*## */  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: build  ## answer PROMPT="…"; without one, chat in a terminal, else answer a question of our own
	@if [ -n "$$RUN_PROMPT" ]; then printf %s "$$RUN_PROMPT" | $(INGLE) run; \
	elif [ -t 0 ] && [ -t 1 ]; then exec $(INGLE) chat; \
	else echo '$(QUESTION)' && echo '$(QUESTION)' | $(INGLE) run; fi

build:  ## compile, into build/release/bin/ingle
	@tools/bootstrap run
	@test -f build/release/build.ninja || cmake --preset release
	@cmake --build --preset release --parallel $(JOBS) --target ingle

test:  ## compile and pass all tests
	@tools/bootstrap test
	@cmake --preset release -DINGLE_TESTS=ON $(if $(CI),-DINGLE_WERROR=ON)
	@cmake --build --preset release --parallel $(JOBS)
	@tools/fetch_test_models $(INGLE) $(MODELS)
	@INGLE_TEST_MODELS=$(MODELS) ctest --preset release --parallel $(JOBS)

web:  ## compile the web app (web/) into web/dist, which becomes part of the program
	@tools/web build

screenshots: build  ## the README's pictures, of the app beside the real server
	@tools/bootstrap deep
	@tools/fetch_test_models $(INGLE) $(MODELS)
	@INGLE_TEST_MODELS=$(MODELS) tools/web screenshots

deep:  ## linters, sanitizers, fuzzers, official clients, 64-bit Arm; STAGE=lint|asan|fuzz|tsan|sdk|web|arm64 for one
	@tools/bootstrap deep
	@tools/deep $(STAGE)

bench:  ## micro-benchmarks, and the speed of the default model
	@tools/bootstrap bench
	@cmake --preset release -DINGLE_BENCH=ON
	@cmake --build --preset release --parallel $(JOBS)
	@for program in build/release/bin/*_bench; do [ ! -x "$$program" ] || "$$program" || exit; done
	@$(INGLE) bench

frames: build  ## whether a page keeps its frames while answers are generated; on a quiet machine
	@tools/bootstrap frames
	@tools/fetch_test_models $(INGLE) $(MODELS)
	@INGLE_TEST_MODELS=$(MODELS) PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover -s tests/responsiveness -t tests/responsiveness

load: build  ## ten minutes of 200 clients of a server, 2,000 idle connections and those who do not behave
	@tools/bootstrap test
	@tools/fetch_test_models $(INGLE) $(MODELS)
	@INGLE_LOAD_SECONDS=600 INGLE_TEST_MODELS=$(MODELS) PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover -s tests/server -t tests/server -p test_load.py

coverage:  ## tests under instrumentation, and the report in build/coverage/index.html
	@tools/bootstrap cover
	@cmake --preset coverage
	@cmake --build --preset coverage --parallel $(JOBS)
	@INGLE_TEST_MODELS=$(MODELS) ctest --preset coverage --parallel $(JOBS)
	@gcovr -r . -e '.*_(test|fuzz|bench)\.cpp' -e tests -e build --html-details build/coverage/index.html --txt-summary build/coverage

format:  ## rewrite the sources in the project's format
	@tools/bootstrap deep
	@tools/lint --fix

lint:  ## check format, layers, scripts and sources
	@tools/bootstrap deep
	@tools/lint

install: build  ## the program, its man page and shell completions, under PREFIX (default /usr/local)
	@cmake --install build/release --prefix $(PREFIX)

clean:  ## remove what was built (downloaded test models stay in build/models)
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name models -exec rm -rf {} +; fi
