// A stable merge sort that stays in bounds whatever the comparison says: the standard's sorts are undefined for an
// order that is no order, which values from outside (NaN) can make of `less`; and it may throw at any comparison.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace ingle::jinja {

/// `before(a, b)`: whether b, which stands after a, must come before it.
template <typename T, typename Before>
void merge_sort(std::vector<T>& items, Before&& before) {
  std::vector<T> buffer(items.size());
  for (size_t width = 1; width < items.size(); width *= 2) {
    for (size_t low = 0; low < items.size(); low += 2 * width) {
      const size_t mid = std::min(low + width, items.size()), high = std::min(low + 2 * width, items.size());
      size_t a = low, b = mid, out = low;
      while (a < mid || b < high) {
        const bool take_right = a < mid && b < high ? before(items[a], items[b]) : a >= mid;
        buffer[out++] = items[take_right ? b++ : a++];
      }
    }
    items.swap(buffer);
  }
}

}  // namespace ingle::jinja
