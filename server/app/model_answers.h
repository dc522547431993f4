// What the routes of the model view share: a file of a model by its name, looked at by a process of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "server/app/app.h"
#include "server/app/routes.h"

namespace ingle::server {

/// Where the model of that name is. Error: not_found.
base::Result<std::filesystem::path> model_file(const Call& call, const std::string& name);

/// Answers in the background with what `question` says of the path's model; it is stopped when the reader goes.
void answer_of_model(
    Call& call,
    std::function<base::Result<base::Json>(const assistant::ModelViewer& viewer, const std::filesystem::path& model,
                                           const assistant::ModelViewer::Stop& stop)>
        question);

/// Whether nobody waits for the answer any more.
assistant::ModelViewer::Stop when_gone(const Call& call);

}  // namespace ingle::server
