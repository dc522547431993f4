// Conversations as the app's routes tell them.
#pragma once

#include "assistant/conversations/conversations.h"
#include "base/json.h"
#include "core/engine/reply.h"
#include "server/api/field.h"

namespace ingle::server {

base::Json to_json(const assistant::Conversation& conversation);
base::Json to_json(const assistant::Message& message);
base::Json to_json(const assistant::Attachment& attachment);
base::Json to_json(const assistant::Folder& folder);
base::Json to_json(const assistant::Preset& preset);
base::Json to_json(const assistant::Found& found);

/// How a reply's end is called.
std::string_view finish_name(core::StopReason reason);

/// Sampling of a conversation or preset.
inline constexpr Field kParameterFields[] = {
    {"temperature", number(0, 100), "0: always the likeliest token"},
    {"top_p", number(0, 1), "only the likeliest tokens, which have this share together"},
    {"top_k", integer(0), "only the k likeliest tokens; 0: all"},
    {"min_p", number(0, 1), "only tokens with at least this part of the likeliest's probability"},
    {"repeat_penalty", number(0, 100), "divides logits of what was said; 1: off"},
    {"max_tokens", integer(1), "the longest reply"},
    {"seed", integer(0), "the same seed and text give the same reply"},
    {"thinking", kBoolean, "whether the model thinks first, where its template knows how"},
};

}  // namespace ingle::server
