-- A state of version 7: as sluice made it before names were unique in their group, by the management
-- API. Its last change waits to be confirmed; what was used is added by hand.
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('revision',13);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO secrets VALUES('tokens',X'6262b61f0a2aa7bc94140772035fe282baac38e5ff6ba837f4374ec8f30f43d6');
CREATE TABLE serials (zone TEXT PRIMARY KEY, serial INTEGER NOT NULL, reserved INTEGER NOT NULL, digest INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE resources (rid INTEGER PRIMARY KEY, kind INTEGER NOT NULL, path TEXT NOT NULL, revision INTEGER NOT NULL, json TEXT NOT NULL,
  id TEXT, addr BLOB, host TEXT, grp TEXT, region TEXT, ptr TEXT, ttl INTEGER, ptr_revision INTEGER, ptr_action INTEGER) STRICT;
INSERT INTO resources VALUES(1,1,'net-rg/spoke',1,
  '{"address_space":["10.30.0.0/16"],"resource_group":"net-rg","name":"spoke"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(2,6,'dns-rg/db.corp.internal',2,
  '{"resource_group":"dns-rg","name":"db.corp.internal"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(3,7,'dns-rg/db.corp.internal/one',3,
  '{"virtual_network":"spoke","name":"one"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(4,7,'dns-rg/db.corp.internal/hub',4,
  '{"virtual_network":"hub","name":"hub"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(5,16,'dns-rg/db.corp.internal/a:a',5,
  '{"records":["10.30.0.4"],"name":"a:A"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(6,8,'dns-rg/more',6,
  '{"outbound_endpoints":["hub-resolver/outbound"],"resource_group":"dns-rg","name":"more"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(8,9,'dns-rg/more/spoke',8,
  '{"virtual_network":"spoke","name":"spoke"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(9,101,'-/a',12,
  '{"name":"a","id":"c959de40-c959-49d5-aaae-6522fac8761a","address":"198.51.100.9","allocation":"static","reverse_fqdn":"mail.db.corp.internal."}','c959de40-c959-49d5-aaae-6522fac8761a',X'04c6336409',NULL,'',NULL,'mail.db.corp.internal.',NULL,12,1);
INSERT INTO resources VALUES(10,104,'-/pay',10,
  '{"name":"pay"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(11,101,'pay/web',10,
  '{"name":"web","resource_group":"pay","id":"350f1120-99a8-41f0-a5c6-32f04378d1df","address":"198.51.100.10","allocation":"static"}','350f1120-99a8-41f0-a5c6-32f04378d1df',X'04c633640a',NULL,'pay',NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(12,16,'dns-rg/db.corp.internal/mail:a',11,
  '{"records":["198.51.100.9"],"name":"mail:A"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
INSERT INTO resources VALUES(13,1,'net-rg/waits',13,
  '{"address_space":["10.40.0.0/16"],"resource_group":"net-rg","name":"waits"}',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0);
CREATE TABLE changes (seq INTEGER PRIMARY KEY, revision INTEGER NOT NULL, time INTEGER NOT NULL, who TEXT NOT NULL, kind INTEGER NOT NULL, path TEXT NOT NULL, before TEXT, after TEXT) STRICT;
INSERT INTO changes VALUES(1,1,1795641366,'uid 0',1,'net-rg/spoke',NULL,
  '{"address_space":["10.30.0.0/16"],"resource_group":"net-rg","name":"spoke"}');
INSERT INTO changes VALUES(2,2,1795641366,'uid 0',6,'dns-rg/db.corp.internal',NULL,
  '{"resource_group":"dns-rg","name":"db.corp.internal"}');
INSERT INTO changes VALUES(3,3,1795641366,'uid 0',7,'dns-rg/db.corp.internal/one',NULL,
  '{"virtual_network":"spoke","name":"one"}');
INSERT INTO changes VALUES(4,4,1795641366,'uid 0',7,'dns-rg/db.corp.internal/hub',NULL,
  '{"virtual_network":"hub","name":"hub"}');
INSERT INTO changes VALUES(5,5,1795641366,'uid 0',16,'dns-rg/db.corp.internal/a:a',NULL,
  '{"records":["10.30.0.4"],"name":"a:A"}');
INSERT INTO changes VALUES(6,6,1795641366,'uid 0',8,'dns-rg/more',NULL,
  '{"outbound_endpoints":["hub-resolver/outbound"],"resource_group":"dns-rg","name":"more"}');
INSERT INTO changes VALUES(7,7,1795641366,'uid 0',10,'dns-rg/more/fabrikam',NULL,
  '{"domain":"fabrikam.test.","targets":[{"address":"127.0.0.1","port":5401}],"name":"fabrikam"}');
INSERT INTO changes VALUES(8,8,1795641366,'uid 0',9,'dns-rg/more/spoke',NULL,
  '{"virtual_network":"spoke","name":"spoke"}');
INSERT INTO changes VALUES(9,9,1795641366,'uid 0',101,'-/a',NULL,
  '{"name":"a","id":"c959de40-c959-49d5-aaae-6522fac8761a","address":"198.51.100.9","allocation":"static"}');
INSERT INTO changes VALUES(10,10,1795641366,'uid 0',104,'-/pay',NULL,
  '{"name":"pay"}');
INSERT INTO changes VALUES(11,10,1795641366,'uid 0',101,'pay/web',NULL,
  '{"name":"web","resource_group":"pay","id":"350f1120-99a8-41f0-a5c6-32f04378d1df","address":"198.51.100.10","allocation":"static"}');
INSERT INTO changes VALUES(12,11,1795641366,'uid 0',16,'dns-rg/db.corp.internal/mail:a',NULL,
  '{"records":["198.51.100.9"],"name":"mail:A"}');
INSERT INTO changes VALUES(13,12,1795641366,'uid 0',101,'-/a','{"name":"a","id":"c959de40-c959-49d5-aaae-6522fac8761a","address":"198.51.100.9","allocation":"static"}',
  '{"name":"a","id":"c959de40-c959-49d5-aaae-6522fac8761a","address":"198.51.100.9","allocation":"static","reverse_fqdn":"mail.db.corp.internal."}');
INSERT INTO changes VALUES(14,13,1795641370,'uid 0',1,'net-rg/waits',NULL,
  '{"address_space":["10.40.0.0/16"],"resource_group":"net-rg","name":"waits"}');
INSERT INTO changes VALUES(15,13,1795641370,'uid 0',10,'dns-rg/more/fabrikam',
  '{"domain":"fabrikam.test.","targets":[{"address":"127.0.0.1","port":5401}],"name":"fabrikam"}',NULL);
CREATE TABLE uses (what TEXT PRIMARY KEY, since INTEGER NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX r_path ON resources(kind, path);
CREATE INDEX c_revision ON changes(revision);
CREATE UNIQUE INDEX r_id ON resources(id) WHERE id IS NOT NULL;
CREATE UNIQUE INDEX r_addr ON resources(addr) WHERE addr IS NOT NULL;
CREATE UNIQUE INDEX r_host ON resources(host) WHERE host IS NOT NULL;
CREATE INDEX r_grp ON resources(grp, addr) WHERE grp IS NOT NULL;
INSERT INTO uses VALUES('rule more	fabrikam',1795641000,1795641300);
INSERT INTO uses VALUES('rule onprem	contoso',1795641000,0);
INSERT INTO serials VALUES('db.corp.internal.',4000000000,4000000256,-5);
PRAGMA application_id = 1936487779;
PRAGMA user_version = 7;
