/*
 * policy: a policy by itself in the form that cycles have it in a journal, for whoever tells another what it decides by.
 */
#include <stint/journal.h>

#include "form.h"

struct stint_json *stint_policy_json(const struct stint_policy *policy)
{
	return form_put(&form_policy, policy);
}

bool stint_policy_read(const struct stint_json *json, struct stint_arena *arena, struct stint_policy *out, struct stint_error **err)
{
	const struct place here = {.key = "policy"};
	struct form_reader reader = {.arena = arena, .err = err}; /* a policy has neither specs nor selectors: nothing else is allocated */
	*out = (struct stint_policy){0};
	return form_get(&reader, &form_policy, json, &here, out);
}
