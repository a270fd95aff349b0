/*
 * usual_policy: the policy of a scheduler none of whose options has been set. That it is the scheduler's is what its tests of options look at.
 */
#include <stint/simulate.h>

enum { USUAL_MOVES = 16, USUAL_HOLD_MS = 60 * 1000 };

void stint_simulate_usual_policy(struct stint_policy *policy)
{
	*policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	stint_policy_evict(policy);
	policy->consolidation_max_victims = USUAL_MOVES;
	policy->hold_moved_ms = USUAL_HOLD_MS;
	policy->prefer_pod_affinity = true;
}
