// The stores that must keep the contract: one fixture each.
#pragma once

#include <doctest/doctest.h>

#include "tests/contract/embedded_fixture.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/contract/redis_fixture.h"
#include "tests/contract/store_fixtures.h"

#define CONTRACT_STORES MemoryFixture, EmbeddedFixture, RedisFixture, PostgresFixture

TYPE_TO_STRING_AS("memory", idem::contract::MemoryFixture);
TYPE_TO_STRING_AS("embedded", idem::contract::EmbeddedFixture);
TYPE_TO_STRING_AS("redis", idem::contract::RedisFixture);
TYPE_TO_STRING_AS("postgres", idem::contract::PostgresFixture);
