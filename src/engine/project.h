#pragma once

#include "definition/envelope_key.h"
#include "definition/imported_files.h"
#include "definition/project.h"

// A project's definitions go by their short names here.
namespace kehu::engine {

using definition::Defined;
using definition::FileBeginning;
using definition::ImportedFile;
using definition::ImportedFiles;
using definition::kFormerSettings;
using definition::kImportedFile;
using definition::parse_source;
using definition::Project;
using definition::Source;
using definition::to_json;
using definition::WriteKey;

}  // namespace kehu::engine
