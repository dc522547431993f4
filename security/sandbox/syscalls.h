// The system calls by name, in groups. A name that this processor or the installed libseccomp does not know is skipped:
// what is listed as allowed stays closed then, and what is listed as hostile is closed by not being allowed.
#pragma once

#include <span>

namespace ingle::security {

using CallNames = std::span<const char* const>;

CallNames basic_calls();    ///< memory, time, descriptors that are open, waiting: every confined process
CallNames thread_calls();   ///< besides clone, which filter.cpp looks into
CallNames path_calls();     ///< a plugin's, bounded by Landlock
CallNames network_calls();  ///< besides socket, which filter.cpp looks into
CallNames process_calls();  ///< besides clone
CallNames sanitizer_calls();

CallNames hostile_calls();         ///< Answer: what no confined program has any business with
CallNames hostile_socket_calls();  ///< the same without `network`
CallNames hostile_process_calls();
CallNames refused_calls();     ///< EPERM: what C libraries try, and may do without
CallNames ungoverned_calls();  ///< EPERM from the start: change files by path, or reach others by a key, past Landlock

}  // namespace ingle::security
