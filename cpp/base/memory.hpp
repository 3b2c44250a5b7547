// What the allocator keeps.
#pragma once

namespace kruise::base {

/// Gives memory that is free back to the system: after work that needed much for a moment. Costs milliseconds. Any thread.
void release_free_memory();

}  // namespace kruise::base
