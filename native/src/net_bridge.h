/** The bridge `strata0`: one for the machine, there as long as anybody is on it. Root only. */
#ifndef STRATA_NET_BRIDGE_H
#define STRATA_NET_BRIDGE_H
#include "net_book.h"

struct place {
  int number;
  uint32_t address, gateway;
  uint8_t mac[6];
  char link[16];
};

/** Puts the container onto the bridge, which is made where it is not there. After an error nothing of it is left. */
int bridge_join(struct place *to, const struct network_spec *s, pid_t pid, const struct bound *ports, int count, struct err *e);

void bridge_leave(int number);

/** Takes away what belongs to nobody any more. */
void bridge_sweep(void);

#endif
