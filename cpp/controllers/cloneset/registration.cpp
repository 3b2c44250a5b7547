#include "controllers/cloneset/registration.hpp"

#include "cache/pod_decoder.hpp"
#include "controllers/cloneset/reconciler.hpp"
#include "controllers/cloneset/watches.hpp"

namespace kruise::controllers::cloneset {

runtime::Registration registration(Options options) {
  return {std::string(kControllerName), "cloneset", api::kCloneSets, [options](runtime::Wiring& wiring) {
            const Stores stores{wiring.store<api::CloneSet>(api::kCloneSets),
                                wiring.store<api::Pod>(api::kPods, cache::pod_decoder), wiring.store<api::Claim>(api::kClaims),
                                wiring.store<api::Revision>(api::kRevisions), &wiring.store<api::Node>(api::kNodes)};
            watch(stores, wiring.enqueue());
            return make_cloneset_reconciler(stores, options);
          }};
}

}  // namespace kruise::controllers::cloneset
