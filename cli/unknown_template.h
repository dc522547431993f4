// A chat template inside a model's file is a program: it turns what a person writes into what the model reads, and may
// change or add words. It sees nothing but the chat (core/template), so what protects is to show one that nobody knows.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/session.h"

namespace ingle::cli {

/// The templates that a person has accepted: FOLDER/SHA256.jinja, each with its text (mode 0600), so that it can be
/// read again; deleting the file takes the acceptance back. It holds for that text in any model's file.
class AcceptedTemplates {
 public:
  explicit AcceptedTemplates(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool has(std::string_view text) const;
  /// Makes the folder (0700) where there is none. Errors: io_error, no_space, permission_denied.
  base::Status add(std::string_view text) const;

 private:
  std::filesystem::path path_of(std::string_view text) const;

  std::filesystem::path folder_;
};

/// $XDG_DATA_HOME/ingle/templates
AcceptedTemplates accepted_templates(const Session& session);

/// To be asked before a model's chat template is first used; `model` is what 'ingle show' takes. One that is neither
/// published nor accepted is shown, and the person at the terminal asked; without one, a notice tells of it and it is
/// used. --accept-template accepts it. Error: permission_denied (the person said no).
base::Status check_template(const Session& session, const std::string& model, std::string_view text);

/// The notice alone, for a model that others will use.
void report_template(const Session& session, const std::string& model, std::string_view text);

}  // namespace ingle::cli
