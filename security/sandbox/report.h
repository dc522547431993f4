// What a dying child writes to kReportFd: the number of the system call that it was killed for.
#pragma once

#include <cstdint>

namespace ingle::security {

struct Report {
  static constexpr uint32_t kMagic = 0x53595343;
  uint32_t magic = kMagic;
  int32_t call = -1;
};

}  // namespace ingle::security
