# find_package(larder): the target larder::larder.
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)
find_dependency(Boost 1.81 COMPONENTS json)
find_dependency(SQLite3)
find_dependency(PostgreSQL)
include(${CMAKE_CURRENT_LIST_DIR}/larderTargets.cmake)
