/**
 * A container's network from its beginning to its end. What it has is told in the file `network` of its state directory, one
 * line of JSON: `{"kind","address","prefix","gateway","mac","link","ports":[{"address","host","inside","udp"}]}`.
 */
#ifndef STRATA_NETWORK_H
#define STRATA_NETWORK_H
#include "net_ports.h"
#include "net_user.h"

struct network {
  enum network_kind kind; /* that is there; NETWORK_OTHER: none of ours */
  int number;             /* on the bridge */
  struct ports ports;
  struct user_network user;
};

/**
 * Makes it, for a container whose first process waits in a network namespace of its own. `home`: its state directory, or -1.
 * One that can not be had and is optional is a sentence in `warning`.
 */
int network_up(struct network *n, const struct network_spec *s, pid_t pid, int pidfd, int home, struct err *warning, struct err *e);

/** Its ports are free for others. */
void network_close(struct network *n);

/** All of it is taken away again; the container's processes are dead, or nobody cares. Removing links takes the kernel a while. */
void network_down(struct network *n);

/** What containers left behind whose monitors were killed. Root only; for anybody else there is nothing to do. */
void network_sweep(void);

#endif
