#include "translation/translator.h"

namespace kehu::translation {

Term Translator::sequence(const rule::Node&) { return {Form::kTruth, "false"}; }
Term Translator::stage(const rule::Node&) { return {Form::kText, "NULL"}; }

}  // namespace kehu::translation
