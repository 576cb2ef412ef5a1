-- Mattermost 11.6: types and bare tables. Keys, indexes and views come after the data
-- (schema-11.6-indexes.sql, -views.sql, -finish.sql). Names are without a schema: everything lands
-- in the first one of search_path, as the server has it.
--
-- Fact  fixtures/mattermost/schema/columns-11.6.tsv, enums-11.6.tsv; storage parameters:
--       docs/mattermost-facts.md "Indexes"

CREATE TYPE channel_bookmark_type AS ENUM ('link', 'file');
CREATE TYPE channel_type AS ENUM ('P', 'G', 'O', 'D');
CREATE TYPE outgoingoauthconnections_granttype AS ENUM ('client_credentials', 'password');
CREATE TYPE property_field_type AS ENUM
	('text', 'select', 'multiselect', 'date', 'user', 'multiuser');
CREATE TYPE team_type AS ENUM ('I', 'O');
CREATE TYPE upload_session_type AS ENUM ('attachment', 'import');

CREATE TABLE accesscontrolpolicies (
	id       varchar(26) NOT NULL,
	name     varchar(128) NOT NULL,
	type     varchar(128) NOT NULL,
	active   boolean NOT NULL,
	createat bigint NOT NULL,
	revision integer NOT NULL,
	version  varchar(8) NOT NULL,
	data     jsonb,
	props    jsonb
);

CREATE TABLE accesscontrolpolicyhistory (
	id       varchar(26) NOT NULL,
	name     varchar(128) NOT NULL,
	type     varchar(128) NOT NULL,
	createat bigint NOT NULL,
	revision integer NOT NULL,
	version  varchar(8) NOT NULL,
	data     jsonb,
	props    jsonb
);

CREATE TABLE audits (
	id        varchar(26) NOT NULL,
	createat  bigint,
	userid    varchar(26),
	action    varchar(512),
	extrainfo varchar(1024),
	ipaddress varchar(64),
	sessionid varchar(26)
);

CREATE TABLE bots (
	userid         varchar(26) NOT NULL,
	description    varchar(1024),
	ownerid        varchar(190),
	createat       bigint,
	updateat       bigint,
	deleteat       bigint,
	lasticonupdate bigint
);

CREATE TABLE channelbookmarks (
	id          varchar(26) NOT NULL,
	ownerid     varchar(26) NOT NULL,
	channelid   varchar(26) NOT NULL,
	fileinfoid  varchar(26) DEFAULT NULL,
	createat    bigint DEFAULT 0,
	updateat    bigint DEFAULT 0,
	deleteat    bigint DEFAULT 0,
	displayname text DEFAULT '',
	sortorder   integer DEFAULT 0,
	linkurl     text,
	imageurl    text,
	emoji       varchar(64) DEFAULT NULL,
	type        channel_bookmark_type DEFAULT 'link',
	originalid  varchar(26) DEFAULT NULL,
	parentid    varchar(26) DEFAULT NULL
);

CREATE TABLE channelmemberhistory (
	channelid varchar(26) NOT NULL,
	userid    varchar(26) NOT NULL,
	jointime  bigint NOT NULL,
	leavetime bigint
);

CREATE TABLE channelmembers (
	channelid               varchar(26) NOT NULL,
	userid                  varchar(26) NOT NULL,
	roles                   varchar(256),
	lastviewedat            bigint,
	msgcount                bigint,
	mentioncount            bigint,
	notifyprops             jsonb,
	lastupdateat            bigint,
	schemeuser              boolean,
	schemeadmin             boolean,
	schemeguest             boolean,
	mentioncountroot        bigint,
	msgcountroot            bigint,
	urgentmentioncount      bigint,
	autotranslation         boolean NOT NULL DEFAULT false,
	autotranslationdisabled boolean NOT NULL DEFAULT false
);

CREATE TABLE channels (
	id                  varchar(26) NOT NULL,
	createat            bigint,
	updateat            bigint,
	deleteat            bigint,
	teamid              varchar(26),
	type                channel_type,
	displayname         varchar(64),
	name                varchar(64),
	header              varchar(1024),
	purpose             varchar(250),
	lastpostat          bigint,
	totalmsgcount       bigint,
	extraupdateat       bigint,
	creatorid           varchar(26),
	schemeid            varchar(26),
	groupconstrained    boolean,
	shared              boolean,
	totalmsgcountroot   bigint,
	lastrootpostat      bigint DEFAULT '0'::bigint,
	bannerinfo          jsonb,
	defaultcategoryname varchar(64) NOT NULL DEFAULT '',
	autotranslation     boolean NOT NULL DEFAULT false
);

CREATE TABLE clusterdiscovery (
	id          varchar(26) NOT NULL,
	type        varchar(64),
	clustername varchar(64),
	hostname    varchar(512),
	gossipport  integer,
	port        integer,
	createat    bigint,
	lastpingat  bigint
);

CREATE TABLE commands (
	id               varchar(26) NOT NULL,
	token            varchar(26),
	createat         bigint,
	updateat         bigint,
	deleteat         bigint,
	creatorid        varchar(26),
	teamid           varchar(26),
	trigger          varchar(128),
	method           varchar(1),
	username         varchar(64),
	iconurl          varchar(1024),
	autocomplete     boolean,
	autocompletedesc varchar(1024),
	autocompletehint varchar(1024),
	displayname      varchar(64),
	description      varchar(128),
	url              varchar(1024),
	pluginid         varchar(190)
);

CREATE TABLE commandwebhooks (
	id        varchar(26) NOT NULL,
	createat  bigint,
	commandid varchar(26),
	userid    varchar(26),
	channelid varchar(26),
	rootid    varchar(26),
	usecount  integer
);

CREATE TABLE compliances (
	id       varchar(26) NOT NULL,
	createat bigint,
	userid   varchar(26),
	status   varchar(64),
	count    integer,
	"desc"   varchar(512),
	type     varchar(64),
	startat  bigint,
	endat    bigint,
	keywords varchar(512),
	emails   varchar(1024)
);

CREATE TABLE contentflaggingcommonreviewers (
	userid varchar(26) NOT NULL
);

CREATE TABLE contentflaggingteamreviewers (
	teamid varchar(26) NOT NULL,
	userid varchar(26) NOT NULL
);

CREATE TABLE contentflaggingteamsettings (
	teamid  varchar(26) NOT NULL,
	enabled boolean
);

CREATE TABLE desktoptokens (
	token    varchar(64) NOT NULL,
	createat bigint NOT NULL,
	userid   varchar(26) NOT NULL
);

CREATE TABLE drafts (
	createat  bigint,
	updateat  bigint,
	deleteat  bigint,
	userid    varchar(26) NOT NULL,
	channelid varchar(26) NOT NULL,
	rootid    varchar(26) NOT NULL DEFAULT '',
	message   varchar(65535),
	props     varchar(8000),
	fileids   varchar(300),
	priority  text,
	type      text
);

CREATE TABLE emoji (
	id        varchar(26) NOT NULL,
	createat  bigint,
	updateat  bigint,
	deleteat  bigint,
	creatorid varchar(26),
	name      varchar(64)
);

CREATE TABLE fileinfo (
	id              varchar(26) NOT NULL,
	creatorid       varchar(26),
	postid          varchar(26),
	createat        bigint,
	updateat        bigint,
	deleteat        bigint,
	path            varchar(512),
	thumbnailpath   varchar(512),
	previewpath     varchar(512),
	name            varchar(256),
	extension       varchar(64),
	size            bigint,
	mimetype        varchar(256),
	width           integer,
	height          integer,
	haspreviewimage boolean,
	minipreview     bytea,
	content         text,
	remoteid        varchar(26),
	archived        boolean NOT NULL DEFAULT false,
	channelid       varchar(26)
) WITH (autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

CREATE TABLE groupchannels (
	groupid     varchar(26) NOT NULL,
	autoadd     boolean,
	schemeadmin boolean,
	createat    bigint,
	deleteat    bigint,
	updateat    bigint,
	channelid   varchar(26) NOT NULL
);

CREATE TABLE groupmembers (
	groupid  varchar(26) NOT NULL,
	userid   varchar(26) NOT NULL,
	createat bigint,
	deleteat bigint
);

CREATE TABLE groupteams (
	groupid     varchar(26) NOT NULL,
	autoadd     boolean,
	schemeadmin boolean,
	createat    bigint,
	deleteat    bigint,
	updateat    bigint,
	teamid      varchar(26) NOT NULL
);

CREATE TABLE incomingwebhooks (
	id            varchar(26) NOT NULL,
	createat      bigint,
	updateat      bigint,
	deleteat      bigint,
	userid        varchar(26),
	channelid     varchar(26),
	teamid        varchar(26),
	displayname   varchar(64),
	description   varchar(500),
	username      varchar(255),
	iconurl       varchar(1024),
	channellocked boolean
);

CREATE TABLE jobs (
	id             varchar(26) NOT NULL,
	type           varchar(32),
	priority       bigint,
	createat       bigint,
	startat        bigint,
	lastactivityat bigint,
	status         varchar(32),
	progress       bigint,
	data           jsonb
);

CREATE TABLE licenses (
	id       varchar(26) NOT NULL,
	createat bigint,
	bytes    varchar(10000)
);

CREATE TABLE linkmetadata (
	hash        bigint NOT NULL,
	url         varchar(2048),
	"timestamp" bigint,
	type        varchar(16),
	data        jsonb
);

CREATE TABLE notifyadmin (
	userid          varchar(26) NOT NULL,
	createat        bigint,
	requiredplan    varchar(100) NOT NULL,
	requiredfeature varchar(255) NOT NULL,
	trial           boolean NOT NULL,
	sentat          bigint
);

CREATE TABLE oauthaccessdata (
	token        varchar(26) NOT NULL,
	refreshtoken varchar(26),
	redirecturi  varchar(256),
	clientid     varchar(26),
	userid       varchar(26),
	expiresat    bigint,
	scope        varchar(128),
	audience     varchar(512) DEFAULT ''
);

CREATE TABLE oauthapps (
	id                      varchar(26) NOT NULL,
	creatorid               varchar(26),
	createat                bigint,
	updateat                bigint,
	clientsecret            varchar(128),
	name                    varchar(64),
	description             varchar(512),
	callbackurls            varchar(1024),
	homepage                varchar(256),
	istrusted               boolean,
	iconurl                 varchar(512),
	mattermostappid         varchar(32) NOT NULL DEFAULT '',
	isdynamicallyregistered boolean DEFAULT false
);

CREATE TABLE oauthauthdata (
	clientid            varchar(26),
	userid              varchar(26),
	code                varchar(128) NOT NULL,
	expiresin           integer,
	createat            bigint,
	redirecturi         varchar(256),
	state               varchar(1024),
	scope               varchar(128),
	codechallenge       varchar(128) DEFAULT '',
	codechallengemethod varchar(10) DEFAULT '',
	resource            varchar(512) DEFAULT ''
);

CREATE TABLE outgoingoauthconnections (
	id                  varchar(26) NOT NULL,
	name                varchar(64),
	creatorid           varchar(26),
	createat            bigint,
	updateat            bigint,
	clientid            varchar(255),
	clientsecret        varchar(255),
	credentialsusername varchar(255),
	credentialspassword varchar(255),
	oauthtokenurl       text,
	granttype           outgoingoauthconnections_granttype DEFAULT 'client_credentials',
	audiences           varchar(1024)
);

CREATE TABLE outgoingwebhooks (
	id           varchar(26) NOT NULL,
	token        varchar(26),
	createat     bigint,
	updateat     bigint,
	deleteat     bigint,
	creatorid    varchar(26),
	channelid    varchar(26),
	teamid       varchar(26),
	triggerwords varchar(1024),
	callbackurls varchar(1024),
	displayname  varchar(64),
	contenttype  varchar(128),
	triggerwhen  integer,
	username     varchar(64),
	iconurl      varchar(1024),
	description  varchar(500)
);

CREATE TABLE persistentnotifications (
	postid     varchar(26) NOT NULL,
	createat   bigint,
	lastsentat bigint,
	deleteat   bigint,
	sentcount  smallint
);

CREATE TABLE pluginkeyvaluestore (
	pluginid varchar(190) NOT NULL,
	pkey     varchar(150) NOT NULL,
	pvalue   bytea,
	expireat bigint
);

CREATE TABLE postacknowledgements (
	postid         varchar(26) NOT NULL,
	userid         varchar(26) NOT NULL,
	acknowledgedat bigint,
	remoteid       varchar(26) DEFAULT '',
	channelid      varchar(26) DEFAULT ''
);

CREATE TABLE postreminders (
	postid     varchar(26) NOT NULL,
	userid     varchar(26) NOT NULL,
	targettime bigint
);

CREATE TABLE posts (
	id           varchar(26) NOT NULL,
	createat     bigint,
	updateat     bigint,
	deleteat     bigint,
	userid       varchar(26),
	channelid    varchar(26),
	rootid       varchar(26),
	originalid   varchar(26),
	message      varchar(65535),
	type         varchar(26),
	props        jsonb,
	hashtags     varchar(1000),
	filenames    varchar(4000),
	fileids      varchar(300),
	hasreactions boolean,
	editat       bigint,
	ispinned     boolean,
	remoteid     varchar(26)
) WITH (autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

CREATE TABLE postspriority (
	postid                  varchar(26) NOT NULL,
	channelid               varchar(26) NOT NULL,
	priority                varchar(32) NOT NULL,
	requestedack            boolean,
	persistentnotifications boolean
);

CREATE TABLE preferences (
	userid   varchar(26) NOT NULL,
	category varchar(32) NOT NULL,
	name     varchar(32) NOT NULL,
	value    text
) WITH (autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

CREATE TABLE productnoticeviewstate (
	userid      varchar(26) NOT NULL,
	noticeid    varchar(26) NOT NULL,
	viewed      integer,
	"timestamp" bigint
);

CREATE TABLE propertyfields (
	id         varchar(26) NOT NULL,
	groupid    varchar(26) NOT NULL,
	name       varchar(255) NOT NULL,
	type       property_field_type,
	attrs      jsonb,
	targetid   varchar(255),
	targettype varchar(255),
	createat   bigint NOT NULL,
	updateat   bigint NOT NULL,
	deleteat   bigint NOT NULL
);

CREATE TABLE propertygroups (
	id   varchar(26) NOT NULL,
	name varchar(64) NOT NULL
);

CREATE TABLE propertyvalues (
	id         varchar(26) NOT NULL,
	targetid   varchar(255) NOT NULL,
	targettype varchar(255) NOT NULL,
	groupid    varchar(26) NOT NULL,
	fieldid    varchar(26) NOT NULL,
	value      jsonb NOT NULL,
	createat   bigint NOT NULL,
	updateat   bigint NOT NULL,
	deleteat   bigint NOT NULL
);

CREATE TABLE publicchannels (
	id          varchar(26) NOT NULL,
	deleteat    bigint,
	teamid      varchar(26),
	displayname varchar(64),
	name        varchar(64),
	header      varchar(1024),
	purpose     varchar(250)
);

CREATE TABLE reactions (
	userid    varchar(26) NOT NULL,
	postid    varchar(26) NOT NULL,
	emojiname varchar(64) NOT NULL,
	createat  bigint,
	updateat  bigint,
	deleteat  bigint,
	remoteid  varchar(26),
	channelid varchar(26) NOT NULL DEFAULT ''
);

CREATE TABLE readreceipts (
	postid   varchar(26) NOT NULL,
	userid   varchar(26) NOT NULL,
	expireat bigint NOT NULL
);

CREATE TABLE recapchannels (
	id            varchar(26) NOT NULL,
	recapid       varchar(26) NOT NULL,
	channelid     varchar(26) NOT NULL,
	channelname   varchar(64) NOT NULL,
	highlights    text,
	actionitems   text,
	sourcepostids text,
	createat      bigint NOT NULL
);

CREATE TABLE recaps (
	id                varchar(26) NOT NULL,
	userid            varchar(26) NOT NULL,
	title             varchar(255) NOT NULL,
	createat          bigint NOT NULL,
	updateat          bigint NOT NULL,
	deleteat          bigint NOT NULL,
	totalmessagecount integer NOT NULL,
	status            varchar(32) NOT NULL,
	readat            bigint NOT NULL DEFAULT 0,
	botid             varchar(26) NOT NULL DEFAULT ''
);

CREATE TABLE recentsearches (
	userid        char(26) NOT NULL,
	searchpointer integer NOT NULL,
	query         jsonb,
	createat      bigint NOT NULL
);

CREATE TABLE remoteclusters (
	remoteid             varchar(26) NOT NULL,
	remoteteamid         varchar(26),
	name                 varchar(64) NOT NULL,
	displayname          varchar(64),
	siteurl              varchar(512),
	createat             bigint,
	lastpingat           bigint,
	token                varchar(26),
	remotetoken          varchar(26),
	topics               varchar(512),
	creatorid            varchar(26),
	pluginid             varchar(190) NOT NULL DEFAULT '',
	options              smallint NOT NULL DEFAULT 0,
	defaultteamid        varchar(26) DEFAULT '',
	deleteat             bigint DEFAULT 0,
	lastglobalusersyncat bigint DEFAULT 0
);

CREATE TABLE retentionidsfordeletion (
	id        varchar(26) NOT NULL,
	tablename varchar(64),
	ids       varchar(26)[]
);

CREATE TABLE retentionpolicies (
	id           varchar(26) NOT NULL,
	displayname  varchar(64),
	postduration bigint
);

CREATE TABLE retentionpolicieschannels (
	policyid  varchar(26),
	channelid varchar(26) NOT NULL
);

CREATE TABLE retentionpoliciesteams (
	policyid varchar(26),
	teamid   varchar(26) NOT NULL
);

CREATE TABLE roles (
	id            varchar(26) NOT NULL,
	name          varchar(64),
	displayname   varchar(128),
	description   varchar(1024),
	createat      bigint,
	updateat      bigint,
	deleteat      bigint,
	permissions   text,
	schememanaged boolean,
	builtin       boolean,
	schemeid      varchar(26)
);

CREATE TABLE scheduledposts (
	id          varchar(26) NOT NULL,
	createat    bigint,
	updateat    bigint,
	userid      varchar(26) NOT NULL,
	channelid   varchar(26) NOT NULL,
	rootid      varchar(26),
	message     varchar(65535),
	props       varchar(8000),
	fileids     varchar(300),
	priority    text,
	scheduledat bigint NOT NULL,
	processedat bigint,
	errorcode   varchar(200),
	type        text
);

CREATE TABLE schemes (
	id                        varchar(26) NOT NULL,
	name                      varchar(64),
	displayname               varchar(128),
	description               varchar(1024),
	createat                  bigint,
	updateat                  bigint,
	deleteat                  bigint,
	scope                     varchar(32),
	defaultteamadminrole      varchar(64),
	defaultteamuserrole       varchar(64),
	defaultchanneladminrole   varchar(64),
	defaultchanneluserrole    varchar(64),
	defaultteamguestrole      varchar(64),
	defaultchannelguestrole   varchar(64),
	defaultplaybookadminrole  varchar(64) DEFAULT '',
	defaultplaybookmemberrole varchar(64) DEFAULT '',
	defaultrunadminrole       varchar(64) DEFAULT '',
	defaultrunmemberrole      varchar(64) DEFAULT ''
);

CREATE TABLE sessions (
	id             varchar(26) NOT NULL,
	token          varchar(26),
	createat       bigint,
	expiresat      bigint,
	lastactivityat bigint,
	userid         varchar(26),
	deviceid       varchar(512),
	roles          varchar(256),
	isoauth        boolean,
	props          jsonb,
	expirednotify  boolean
);

CREATE TABLE sharedchannelattachments (
	id         varchar(26) NOT NULL,
	fileid     varchar(26),
	remoteid   varchar(26),
	createat   bigint,
	lastsyncat bigint
);

CREATE TABLE sharedchannelremotes (
	id                varchar(26) NOT NULL,
	channelid         varchar(26) NOT NULL,
	creatorid         varchar(26),
	createat          bigint,
	updateat          bigint,
	isinviteaccepted  boolean,
	isinviteconfirmed boolean,
	remoteid          varchar(26),
	lastpostupdateat  bigint,
	lastpostid        varchar(26),
	lastpostcreateat  bigint NOT NULL DEFAULT 0,
	lastpostcreateid  varchar(26),
	deleteat          bigint DEFAULT 0,
	lastmemberssyncat bigint DEFAULT 0
);

CREATE TABLE sharedchannels (
	channelid        varchar(26) NOT NULL,
	teamid           varchar(26),
	home             boolean,
	readonly         boolean,
	sharename        varchar(64),
	sharedisplayname varchar(64),
	sharepurpose     varchar(250),
	shareheader      varchar(1024),
	creatorid        varchar(26),
	createat         bigint,
	updateat         bigint,
	remoteid         varchar(26)
);

CREATE TABLE sharedchannelusers (
	id                   varchar(26) NOT NULL,
	userid               varchar(26),
	remoteid             varchar(26),
	createat             bigint,
	lastsyncat           bigint,
	channelid            varchar(26),
	lastmembershipsyncat bigint DEFAULT 0
);

CREATE TABLE sidebarcategories (
	id          varchar(128) NOT NULL,
	userid      varchar(26),
	teamid      varchar(26),
	sortorder   bigint,
	sorting     varchar(64),
	type        varchar(64),
	displayname varchar(64),
	muted       boolean,
	collapsed   boolean
);

CREATE TABLE sidebarchannels (
	channelid  varchar(26) NOT NULL,
	userid     varchar(26) NOT NULL,
	categoryid varchar(128) NOT NULL,
	sortorder  bigint
);

CREATE TABLE status (
	userid         varchar(26) NOT NULL,
	status         varchar(32),
	manual         boolean,
	lastactivityat bigint,
	dndendtime     bigint,
	prevstatus     varchar(32)
);

CREATE TABLE systems (
	name  varchar(64) NOT NULL,
	value varchar(1024)
);

CREATE TABLE teammembers (
	teamid      varchar(26) NOT NULL,
	userid      varchar(26) NOT NULL,
	roles       varchar(256),
	deleteat    bigint,
	schemeuser  boolean,
	schemeadmin boolean,
	schemeguest boolean,
	createat    bigint DEFAULT 0
);

CREATE TABLE teams (
	id                  varchar(26) NOT NULL,
	createat            bigint,
	updateat            bigint,
	deleteat            bigint,
	displayname         varchar(64),
	name                varchar(64),
	description         varchar(255),
	email               varchar(128),
	type                team_type,
	companyname         varchar(64),
	alloweddomains      varchar(1000),
	inviteid            varchar(32),
	schemeid            varchar(26),
	allowopeninvite     boolean,
	lastteamiconupdate  bigint,
	groupconstrained    boolean,
	cloudlimitsarchived boolean NOT NULL DEFAULT false
);

CREATE TABLE temporaryposts (
	postid   varchar(26) NOT NULL,
	type     varchar(26) NOT NULL,
	expireat bigint NOT NULL,
	message  varchar(65535),
	fileids  varchar(300)
);

CREATE TABLE termsofservice (
	id       varchar(26) NOT NULL,
	createat bigint,
	userid   varchar(26),
	text     varchar(65535)
);

CREATE TABLE threadmemberships (
	postid         varchar(26) NOT NULL,
	userid         varchar(26) NOT NULL,
	following      boolean,
	lastviewed     bigint,
	lastupdated    bigint,
	unreadmentions bigint
) WITH (autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

CREATE TABLE threads (
	postid         varchar(26) NOT NULL,
	replycount     bigint,
	lastreplyat    bigint,
	participants   jsonb,
	channelid      varchar(26),
	threaddeleteat bigint,
	threadteamid   varchar(26)
);

CREATE TABLE tokens (
	token    varchar(64) NOT NULL,
	createat bigint,
	type     varchar(64),
	extra    varchar(2048)
);

CREATE TABLE translations (
	objectid   varchar(26) NOT NULL,
	dstlang    varchar NOT NULL,
	objecttype varchar NOT NULL,
	providerid varchar NOT NULL,
	normhash   char(64) NOT NULL,
	text       text NOT NULL,
	confidence real,
	meta       jsonb,
	updateat   bigint NOT NULL,
	state      varchar(20) NOT NULL,
	channelid  varchar(26)
);

CREATE TABLE uploadsessions (
	id         varchar(26) NOT NULL,
	type       upload_session_type,
	createat   bigint,
	userid     varchar(26),
	channelid  varchar(26),
	filename   varchar(256),
	path       varchar(512),
	filesize   bigint,
	fileoffset bigint,
	remoteid   varchar(26),
	reqfileid  varchar(26)
);

CREATE TABLE useraccesstokens (
	id          varchar(26) NOT NULL,
	token       varchar(26),
	userid      varchar(26),
	description varchar(512),
	isactive    boolean
);

CREATE TABLE usergroups (
	id             varchar(26) NOT NULL,
	name           varchar(64),
	displayname    varchar(128),
	description    varchar(1024),
	source         varchar(64),
	remoteid       varchar(48),
	createat       bigint,
	updateat       bigint,
	deleteat       bigint,
	allowreference boolean
);

CREATE TABLE users (
	id                 varchar(26) NOT NULL,
	createat           bigint,
	updateat           bigint,
	deleteat           bigint,
	username           varchar(64),
	password           varchar(128),
	authdata           varchar(128),
	authservice        varchar(32),
	email              varchar(128),
	emailverified      boolean,
	nickname           varchar(64),
	firstname          varchar(64),
	lastname           varchar(64),
	roles              varchar(256),
	allowmarketing     boolean,
	props              jsonb,
	notifyprops        jsonb,
	lastpasswordupdate bigint,
	lastpictureupdate  bigint,
	failedattempts     integer,
	locale             varchar(5),
	mfaactive          boolean,
	mfasecret          varchar(128),
	"position"         varchar(128),
	timezone           jsonb,
	remoteid           varchar(26),
	lastlogin          bigint NOT NULL DEFAULT 0,
	mfausedtimestamps  jsonb
);

CREATE TABLE usertermsofservice (
	userid           varchar(26) NOT NULL,
	termsofserviceid varchar(26),
	createat         bigint
);

-- The server's migration runner makes these two when they are missing.
CREATE TABLE db_migrations (
	version bigint NOT NULL,
	name    varchar NOT NULL
);

CREATE TABLE db_lock (
	id       varchar(64) NOT NULL,
	expireat bigint
);
