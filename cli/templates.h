// Chat templates by model or file.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/session.h"
#include "core/files/model_file.h"

namespace ingle::cli {

/// The source of the template of MODEL, or the content of FILE.jinja. Errors: not_found (a base model has none).
base::Result<std::string> read_template(const Session& session, const std::string& model_or_file);

/// The chat template that comes with a model file; empty where there is none. Errors: io_error, corrupt.
base::Result<std::string> template_of(const core::ModelFile& file);

}  // namespace ingle::cli
