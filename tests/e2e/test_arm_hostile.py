"""Azure's API where a request is malformed on purpose or by mistake, or asks for more than anybody needs: each
is answered, at once and with what is wrong, and the server goes on."""

import harness
import test_arm_types
from test_arm_types import below, properties


class Hostile(test_arm_types.Everything):
    def test_a_slash_within_a_segment_parts_nothing(self):
        self.build_all()
        for path, body in (("privateDnsZones%2FA/corp.internal", properties(
                               ttl=60, aRecords=[{"ipv4Address": "10.0.0.1"}])),
                           ("virtualNetworks%2fsubnets/hub", properties(addressPrefix="10.10.9.0/24")),
                           ("virtualNetworks%2Fsubnets/hub/subnets/x", properties())):
            for method in ("GET", "PUT", "PATCH", "DELETE"):
                self.refused(404, "InvalidResourceType", "could not be found in the namespace", method,
                             below(path), None if method in ("GET", "DELETE") else body)


if __name__ == "__main__":
    harness.main()
