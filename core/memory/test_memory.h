// A device that has memory and nothing else, for this module's tests.
#pragma once

#include <cstdlib>
#include <cstring>

#include "core/hal/device.h"

namespace ingle::core {

class TestMemory final : public Device {
 public:
  static constexpr uint64_t kPageBytes = 128;

  base::Result<std::byte*> allocate(uint64_t bytes) override {
    if (full) return base::Error{base::ErrorCode::out_of_memory, "full"};
    ++regions;
    return static_cast<std::byte*>(std::calloc(1, bytes));
  }
  void deallocate(std::byte* memory, uint64_t) override {
    --regions;
    std::free(memory);
  }
  void execute_kernel(const KernelDesc*) override {}
  void sync_device() override {}
  base::Status prepare(const Constants&, Program) override { return {}; }
  uint64_t state_page_bytes(uint32_t) const override { return kPageBytes; }
  void copy(std::byte* to, const std::byte* from, uint64_t bytes) override {
    ++copies;
    std::memcpy(to, from, bytes);
  }
  void discard(std::byte*, uint64_t) override { ++discarded; }
  void run(const RunArgs&) override {}
  const float* read(const KeptValue&) const override { return nullptr; }

  bool full = false;
  int regions = 0, copies = 0, discarded = 0;
};

}  // namespace ingle::core
