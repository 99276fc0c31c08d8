#pragma once

#include "directory/data_directory.h"
#include "replica/replica.h"

// An engine is made of these rooms, so their words are said in nearly every line of it.
namespace kehu::engine {

using namespace directory;
using namespace replica;

}  // namespace kehu::engine
