#include "interpreter/interpreter.h"

#include <gtest/gtest.h>

TEST(I, X) {}
