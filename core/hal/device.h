// A device: memory and kernels. The four functions of HardwareOps are the versioned core that every device has; a
// Device adds what compiled programs need.
//
//   device.prepare(constants, program);                     // once
//   device.state_page_bytes(group)                          // for who allocates pages of sequences (core/memory)
//   device.run({tokens, sequences, output_rows, logits});   // per batch of tokens; see RunArgs::best, too
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "core/hal/kernel_desc.h"
#include "core/hal/program.h"

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

class Device : public HardwareOps {
 public:
  /// Allocates the program's arena and gets the constants into the form that kernels read. Once; the constants must
  /// outlive the device. Error: out_of_memory.
  virtual base::Status prepare(const Constants& constants, Program program) = 0;

  /// The size of a page of states: kPagePositions positions of all layers of the group. Multiple of 64.
  virtual uint64_t state_page_bytes(uint32_t state_group) const = 0;

  /// Copies device memory once everything executed before is done.
  virtual void copy(std::byte* to, const std::byte* from, uint64_t bytes) = 0;
  /// Says that what this memory holds is no longer needed; it may read as anything that was there, or as zeros.
  virtual void discard(std::byte* memory, uint64_t bytes) = 0;

  /// Runs the program; blocks. Allocates nothing.
  virtual void run(const RunArgs& args) = 0;

  /// The rows of a value that the program keeps, until the next run.
  virtual const float* read(const KeptValue& value) const = 0;
};

}  // namespace ingle::core
