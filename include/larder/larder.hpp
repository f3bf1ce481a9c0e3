// All that most programs include: the cache, its sources, shared tiers, and sizes.
//
// One header per concept is there too, for programs that count seconds of
// compilation: cache.hpp, sqlite.hpp or postgres.hpp and sql.hpp, shared.hpp, memory_tier.hpp
// alone.
#pragma once

#include "larder/cache.hpp"
#include "larder/codec.hpp"
#include "larder/error.hpp"
#include "larder/memory_tier.hpp"
#include "larder/postgres.hpp"
#include "larder/runtime.hpp"
#include "larder/shared.hpp"
#include "larder/source.hpp"
#include "larder/sql.hpp"
#include "larder/sqlite.hpp"
#include "larder/units.hpp"
#include "larder/version.hpp"
#include "larder/writer.hpp"
