#include "core/backends/cpu/isa.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"

namespace ingle::core {
namespace {

const Kernels* assumed_kernels = nullptr;  // set once, before there are threads

constexpr int kProbeMilliseconds = 30'000;

#if defined(__x86_64__)
// Tiles of bf16: the processor has them, and the system saves their state. Linux hands them out on request, to the
// whole process and its children (Documentation/arch/x86/xstate.rst); other systems refuse the call.
bool tiles_granted() {
  constexpr unsigned kTile = 1u << 24, kBf16 = 1u << 22;            // leaf 7, EDX
  constexpr long kRequestPermission = 0x1023, kTileDataState = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTile) == 0 || (d & kBf16) == 0) return false;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileDataState) == 0;
}
#endif

bool offered(std::string_view name) {
  if (name == "scalar") return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (name == "avx2")
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
           __builtin_cpu_supports("bmi2");
  if (name == "avxvnni") {
    constexpr unsigned kAvxVnni = 1u << 4;  // leaf 7, subleaf 1, EAX; its registers are those of AVX2
    unsigned a = 0, b = 0, c = 0, d = 0;
    return offered("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & kAvxVnni) != 0;
  }
  if (name == "avx512vnni")
    return offered("avx2") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
  if (name == "amx")
    return offered("avx512vnni") && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vbmi") &&
           tiles_granted();
#elif defined(__aarch64__)
  const unsigned long caps = ::getauxval(AT_HWCAP);
  if (name == "neon") return (caps & HWCAP_ASIMDDP) != 0 && (caps & HWCAP_ASIMDHP) != 0;
  if (name == "i8mm") return offered("neon") && (::getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
#endif
  return false;
}

// Waits for a byte, or for the other end to be closed; false: neither came in time.
bool wait_for_answer(int end) {
  const int64_t deadline = base::monotonic_ns() + int64_t{kProbeMilliseconds} * 1'000'000;
  for (;;) {
    const int64_t left = (deadline - base::monotonic_ns()) / 1'000'000;
    pollfd wait{end, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready >= 0 || errno != EINTR) return ready == 1;
  }
}

struct Verdict {
  std::string note;     ///< empty: proven
  bool lasting = true;  ///< the next probe would say the same
};

// Runs the comparison in a child.
Verdict prove(const Kernels& kernels) {
  int ends[2];
  if (::pipe(ends) != 0) return {std::string("no pipe for the probe: ") + std::strerror(errno), false};
  const pid_t child = ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    return {std::string("no process for the probe: ") + std::strerror(errno), false};
  }
  if (child == 0) {
    ::close(ends[0]);
    for (const int signal : {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP}) ::signal(signal, SIG_DFL);
    const std::string difference = compare_with_scalar(kernels);
    const char verdict = difference.empty() ? 'y' : 'n';
    const ssize_t written = ::write(ends[1], &verdict, 1);
    ::_exit(written == 1 ? 0 : 1);
  }
  ::close(ends[1]);
  char verdict = 0;
  const bool in_time = wait_for_answer(ends[0]);
  const bool answered = in_time && ::read(ends[0], &verdict, 1) == 1;
  ::close(ends[0]);
  if (!answered) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (verdict == 'y') return {};
  if (verdict == 'n') return {"its results differ from the portable kernels'"};
  // A machine that stalls or is short of memory says nothing about the kernels.
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (!in_time || signal == 0 || signal == SIGKILL || signal == SIGABRT) return {"its probe did not answer", false};
  return {std::string("its kernels die with ") + strsignal(signal)};
}

std::string boot_id() {
  auto id = base::read_file("/proc/sys/kernel/random/boot_id", 4096);
  // Files of /proc have no size to read by; the id is then read by hand.
  std::string text = id.ok() ? *id : "";
  if (text.empty()) {
    if (FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "re")) {
      char line[64] = {};
      if (std::fgets(line, sizeof line, file) != nullptr) text = line;
      std::fclose(file);
    }
  }
  return text;
}

// What the cached verdicts depend on: this boot and this build.
std::string cache_key() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto changed = std::filesystem::last_write_time(self, error);
  return boot_id() + "|" + std::to_string(changed.time_since_epoch().count()) + "|" + self.string();
}

std::vector<IsaStatus> read_cache(const std::filesystem::path& path, const std::string& key) {
  const auto text = base::read_file(path, 1 << 16);
  if (!text.ok()) return {};
  const auto json = base::parse_json(*text);
  if (!json.ok() || !json->is_object() || json->value("key", "") != key || !json->contains("sets")) return {};
  std::vector<IsaStatus> statuses;
  for (const KernelSet& set : kernel_sets()) {
    const auto& sets = (*json)["sets"];
    const auto found = sets.find(std::string(set.name));
    if (found == sets.end() || !found->is_string()) return {};
    const std::string note = found->get<std::string>();
    statuses.push_back({std::string(set.name), offered(set.name), note.empty(), note});
  }
  return statuses;
}

void write_cache(const std::filesystem::path& path, const std::string& key, const std::vector<IsaStatus>& statuses) {
  base::Json json;
  json["key"] = key;
  for (const IsaStatus& status : statuses) json["sets"][status.name] = status.note;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  // A cache that cannot be written only costs the next probe.
  (void)base::write_file_atomic(path, json.dump(1));
}

// `lasting`: whether all verdicts are.
std::vector<IsaStatus> probe_now(bool& lasting) {
  std::vector<IsaStatus> statuses;
  lasting = true;
  for (const KernelSet& set : kernel_sets()) {
    IsaStatus status{std::string(set.name), offered(set.name), false, ""};
    if (!status.offered) {
      status.note = "not offered by this processor or system";
    } else if (status.name != "scalar") {
      Verdict verdict = prove(set.table());
      status.note = std::move(verdict.note);
      lasting = lasting && verdict.lasting;
    }
    status.proven = status.note.empty();
    statuses.push_back(std::move(status));
  }
  return statuses;
}

// The same once for this process: a machine does not change while it runs.
std::vector<IsaStatus> probe_once(bool& lasting) {
  static std::mutex mutex;
  static std::vector<IsaStatus> proven;
  const std::lock_guard lock(mutex);
  lasting = true;
  if (!proven.empty()) return proven;
  std::vector<IsaStatus> statuses = probe_now(lasting);
  if (lasting) proven = statuses;
  return statuses;
}

}  // namespace

std::vector<IsaStatus> probe_isas(const std::filesystem::path& cache_folder) {
  std::vector<IsaStatus> statuses;
  bool lasting = false;
  if (cache_folder.empty()) {
    statuses = probe_once(lasting);
  } else {
    const auto path = cache_folder / "instruction-sets.json";
    const std::string key = cache_key();
    statuses = read_cache(path, key);
    if (statuses.empty()) {
      statuses = probe_once(lasting);
      if (lasting) write_cache(path, key, statuses);
    }
  }
  // kernel_sets() has the portable set first; here it is the last resort.
  if (!statuses.empty()) {
    IsaStatus scalar = statuses.front();
    statuses.erase(statuses.begin());
    statuses.push_back(std::move(scalar));
  }
  return statuses;
}

base::Status assume_isa(const std::string& name) {
  const Kernels* kernels = offered(name) ? find_kernels(name) : nullptr;
  if (kernels == nullptr)
    return base::Error{base::ErrorCode::unsupported, "the instruction set \"" + name + "\" is not here"};
  assumed_kernels = kernels;
  return {};
}

base::Result<const Kernels*> choose_kernels(std::string_view name, const std::filesystem::path& cache_folder) {
  if (assumed_kernels != nullptr) return assumed_kernels;
  if (name == "scalar") return find_kernels(name);  // plain C++, which asks nothing of the processor: no need to look
  const auto statuses = probe_isas(cache_folder);
  std::string working;
  for (const IsaStatus& status : statuses) {
    if (!status.proven) continue;
    if (name.empty() || status.name == name) return find_kernels(status.name);
    working += (working.empty() ? "" : ", ") + status.name;
  }
  return base::Error{base::ErrorCode::unsupported,
                     "the instruction set \"" + std::string(name) + "\" does not work here; these do: " + working};
}

}  // namespace ingle::core
