// The models that can be had and those that are here, as GET /app/catalogue tells them: with what each would take and
// how fast it would be on this machine.
#pragma once

#include <cstdint>
#include <optional>

#include "server/api/route.h"

namespace ingle::server {

/// `context`: tokens to plan for; nothing: what a server would choose. Errors: as store::Store::open.
base::Result<base::Json> catalogue_json(const Call& call, std::optional<uint32_t> context);

/// Why nothing can be fetched; nothing: it can.
std::optional<ApiError> offline_error(const Call& call);
/// The own name of the model that was asked for, to be unloaded or removed; nothing after call.fail(): it is not here,
/// or it writes an answer.
std::optional<std::string> idle_model(Call& call, const std::string& asked);
/// Removes the model of that own name from the store and from memory, with what was kept of it, and tells the pages.
/// Errors: as store::Store::remove.
base::Result<store::Store::Removed> remove_model(const Call& call, const std::string& name);

}  // namespace ingle::server
