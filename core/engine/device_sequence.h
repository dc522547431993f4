// A sequence as the engine's own parts know it.
#pragma once

#include <memory>
#include <utility>

#include "core/engine/engine.h"
#include "core/memory/sequence_state.h"

namespace ingle::core {

class DeviceSequence final : public Sequence {
 public:
  explicit DeviceSequence(SequenceState of) : state(std::move(of)) {}
  uint32_t length() const override { return state.length(); }
  uint32_t capacity() const override { return state.capacity(); }
  uint32_t truncate(uint32_t length) override { return state.truncate(length); }
  base::Result<std::unique_ptr<Sequence>> fork() const override {
    INGLE_TRY(SequenceState copy, state.fork());
    return std::unique_ptr<Sequence>(std::make_unique<DeviceSequence>(std::move(copy)));
  }

  SequenceState state;
};

}  // namespace ingle::core
