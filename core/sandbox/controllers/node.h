/*
 * node: the taints that a node's state asks for. Pure.
 */
#ifndef STINT_SANDBOX_NODE_H
#define STINT_SANDBOX_NODE_H

#include <stint/text.h>

/* Changes spec.taints of the Node; false when they were right already. */
bool node_put_taints(struct stint_json *node, int64_t now_ms);

#endif
