// The stores that are held to the contract: one fixture each.
#pragma once

#include <doctest/doctest.h>

#include "tests/contract/store_fixtures.h"

#define CONTRACT_STORES MemoryFixture

TYPE_TO_STRING_AS("memory", idem::contract::MemoryFixture);
