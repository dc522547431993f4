// A device: memory and kernels. The four functions of HardwareOps are the versioned core that every device has; a
// Device adds what compiled programs need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "core/hal/kernel_desc.h"

namespace ingle::core {

inline constexpr uint32_t kHardwareOpsVersion = 1;

class HardwareOps {
 public:
  virtual ~HardwareOps() = default;
  /// Zeroed memory, 64-byte aligned at least; commits pages as they are touched. Error: out_of_memory.
  virtual base::Result<std::byte*> allocate(uint64_t bytes) = 0;
  virtual void deallocate(std::byte* memory, uint64_t bytes) = 0;
  /// Runs one kernel of the prepared program; the device may still be at work when it returns.
  virtual void execute_kernel(const KernelDesc* kernel) = 0;
  /// Waits until everything executed is done.
  virtual void sync_device() = 0;
};

}  // namespace ingle::core
