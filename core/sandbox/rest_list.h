/*
 * rest_list: what choosing the objects of a list and sending them share.
 */
#ifndef STINT_SANDBOX_REST_LIST_H
#define STINT_SANDBOX_REST_LIST_H

#include "rest.h"

/* Objects that are on their way; `list` is taken over by rest_send_list. */
struct list_answer {
	struct stint_store_list list;
	size_t left; /* matches behind the limit: the walk goes on */
	bool tell_left; /* remainingItemCount is known */
};
void rest_send_list(struct rest *rest, struct list_answer *answer);
char *rest_continue_make(uint64_t version, const struct stint_stored *last);
/* The rules of resourceVersionMatch and sendInitialEvents; false after having answered 422. */
bool rest_check_match(struct rest *rest, bool watch);

#endif
