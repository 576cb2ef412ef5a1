-- Mattermost 11.6: every index, in the order in which building them side by side pays: what takes
-- longest first. Behind a statement: "primary key" or "unique" when a constraint of the same name
-- goes with it, made afterwards from the index without reading the table.
--
-- Fact  fixtures/mattermost/schema/indexes-11.6.tsv, constraints-11.6.tsv

CREATE INDEX idx_posts_message_txt ON posts USING gin (to_tsvector('english', message));
CREATE INDEX idx_posts_hashtags_txt ON posts USING gin (to_tsvector('english', hashtags));
CREATE UNIQUE INDEX posts_pkey ON posts (id); -- primary key
CREATE INDEX idx_posts_channel_id_delete_at_create_at ON posts (channelid, deleteat, createat);
CREATE INDEX idx_posts_channel_id_update_at ON posts (channelid, updateat);
CREATE INDEX idx_posts_create_at ON posts (createat);
CREATE INDEX idx_posts_create_at_id ON posts (createat, id);
CREATE INDEX idx_posts_delete_at ON posts (deleteat);
CREATE INDEX idx_posts_is_pinned ON posts (ispinned);
CREATE INDEX idx_posts_original_id ON posts (originalid);
CREATE INDEX idx_posts_root_id_delete_at ON posts (rootid, deleteat);
CREATE INDEX idx_posts_update_at ON posts (updateat);
CREATE INDEX idx_posts_user_id ON posts (userid);

CREATE INDEX idx_fileinfo_content_txt ON fileinfo USING gin (to_tsvector('english', content));
CREATE INDEX idx_fileinfo_name_splitted
	ON fileinfo USING gin (to_tsvector('english', translate(name, '.,-', '   ')));
CREATE INDEX idx_fileinfo_name_txt ON fileinfo USING gin (to_tsvector('english', name));
CREATE UNIQUE INDEX fileinfo_pkey ON fileinfo (id); -- primary key
CREATE INDEX idx_fileinfo_channel_id_create_at ON fileinfo (channelid, createat);
CREATE INDEX idx_fileinfo_create_at ON fileinfo (createat);
CREATE INDEX idx_fileinfo_delete_at ON fileinfo (deleteat);
CREATE INDEX idx_fileinfo_extension_at ON fileinfo (extension);
CREATE INDEX idx_fileinfo_postid_at ON fileinfo (postid);
CREATE INDEX idx_fileinfo_update_at ON fileinfo (updateat);

CREATE UNIQUE INDEX reactions_pkey ON reactions (postid, userid, emojiname); -- primary key
CREATE INDEX idx_reactions_channel_id ON reactions (channelid);

CREATE UNIQUE INDEX threads_pkey ON threads (postid); -- primary key
CREATE INDEX idx_threads_channel_id_last_reply_at ON threads (channelid, lastreplyat);

CREATE UNIQUE INDEX threadmemberships_pkey ON threadmemberships (postid, userid); -- primary key
CREATE INDEX idx_thread_memberships_last_update_at ON threadmemberships (lastupdated);
CREATE INDEX idx_thread_memberships_last_view_at ON threadmemberships (lastviewed);
CREATE INDEX idx_thread_memberships_user_id ON threadmemberships (userid);

CREATE UNIQUE INDEX channelmembers_pkey ON channelmembers (channelid, userid); -- primary key
CREATE INDEX idx_channelmembers_autotranslation_enabled
	ON channelmembers (channelid) WHERE autotranslation = true;
CREATE INDEX idx_channelmembers_channel_id_scheme_guest_user_id
	ON channelmembers (channelid, schemeguest, userid);
CREATE INDEX idx_channelmembers_user_id_channel_id_last_viewed_at
	ON channelmembers (userid, channelid, lastviewedat);

CREATE INDEX idx_users_all_no_full_name_txt
	ON users USING gin (to_tsvector('english', username || ' ' || nickname || ' ' || email));
CREATE INDEX idx_users_all_txt
	ON users USING gin (to_tsvector('english',
		username || ' ' || firstname || ' ' || lastname || ' ' || nickname || ' ' || email));
CREATE INDEX idx_users_names_no_full_name_txt
	ON users USING gin (to_tsvector('english', username || ' ' || nickname));
CREATE INDEX idx_users_names_txt
	ON users USING gin (to_tsvector('english',
		username || ' ' || firstname || ' ' || lastname || ' ' || nickname));
CREATE UNIQUE INDEX users_pkey ON users (id); -- primary key
CREATE INDEX idx_users_create_at ON users (createat);
CREATE INDEX idx_users_delete_at ON users (deleteat);
CREATE INDEX idx_users_email_lower_textpattern ON users (lower(email) text_pattern_ops);
CREATE INDEX idx_users_firstname_lower_textpattern ON users (lower(firstname) text_pattern_ops);
CREATE INDEX idx_users_id_locale ON users (id, locale);
CREATE INDEX idx_users_lastname_lower_textpattern ON users (lower(lastname) text_pattern_ops);
CREATE INDEX idx_users_nickname_lower_textpattern ON users (lower(nickname) text_pattern_ops);
CREATE INDEX idx_users_update_at ON users (updateat);
CREATE INDEX idx_users_username_lower_textpattern ON users (lower(username) text_pattern_ops);
CREATE UNIQUE INDEX users_authdata_key ON users (authdata); -- unique
CREATE UNIQUE INDEX users_email_key ON users (email); -- unique
CREATE UNIQUE INDEX users_username_key ON users (username); -- unique

CREATE UNIQUE INDEX preferences_pkey ON preferences (userid, category, name); -- primary key
CREATE INDEX idx_preferences_category ON preferences (category);
CREATE INDEX idx_preferences_name ON preferences (name);

CREATE UNIQUE INDEX teammembers_pkey ON teammembers (teamid, userid); -- primary key
CREATE INDEX idx_teammembers_createat ON teammembers (createat);
CREATE INDEX idx_teammembers_delete_at ON teammembers (deleteat);
CREATE INDEX idx_teammembers_user_id ON teammembers (userid);

CREATE INDEX idx_channel_search_txt
	ON channels USING gin (to_tsvector('english', name || ' ' || displayname || ' ' || purpose));
CREATE UNIQUE INDEX channels_pkey ON channels (id); -- primary key
CREATE UNIQUE INDEX channels_name_teamid_key ON channels (name, teamid); -- unique
CREATE INDEX idx_channels_autotranslation_enabled ON channels (id) WHERE autotranslation = true;
CREATE INDEX idx_channels_create_at ON channels (createat);
CREATE INDEX idx_channels_delete_at ON channels (deleteat);
CREATE INDEX idx_channels_displayname_lower ON channels (lower(displayname));
CREATE INDEX idx_channels_name_lower ON channels (lower(name));
CREATE INDEX idx_channels_scheme_id ON channels (schemeid);
CREATE INDEX idx_channels_team_id_display_name ON channels (teamid, displayname);
CREATE INDEX idx_channels_team_id_type ON channels (teamid, type);
CREATE INDEX idx_channels_update_at ON channels (updateat);

CREATE INDEX idx_publicchannels_search_txt
	ON publicchannels USING gin (to_tsvector('english', name || ' ' || displayname || ' ' || purpose));
CREATE UNIQUE INDEX publicchannels_pkey ON publicchannels (id); -- primary key
CREATE INDEX idx_publicchannels_delete_at ON publicchannels (deleteat);
CREATE INDEX idx_publicchannels_displayname_lower ON publicchannels (lower(displayname));
CREATE INDEX idx_publicchannels_name_lower ON publicchannels (lower(name));
CREATE INDEX idx_publicchannels_team_id ON publicchannels (teamid);
CREATE UNIQUE INDEX publicchannels_name_teamid_key ON publicchannels (name, teamid); -- unique

CREATE UNIQUE INDEX accesscontrolpolicies_pkey ON accesscontrolpolicies (id); -- primary key
CREATE UNIQUE INDEX idx_accesscontrolpolicies_name_type
	ON accesscontrolpolicies (name, type) WHERE type = 'parent';

CREATE UNIQUE INDEX accesscontrolpolicyhistory_pkey
	ON accesscontrolpolicyhistory (id, revision); -- primary key

CREATE UNIQUE INDEX audits_pkey ON audits (id); -- primary key
CREATE INDEX idx_audits_user_id ON audits (userid);

CREATE UNIQUE INDEX bots_pkey ON bots (userid); -- primary key

CREATE UNIQUE INDEX channelbookmarks_pkey ON channelbookmarks (id); -- primary key
CREATE INDEX idx_channelbookmarks_channelid ON channelbookmarks (channelid);
CREATE INDEX idx_channelbookmarks_delete_at ON channelbookmarks (deleteat);
CREATE INDEX idx_channelbookmarks_update_at ON channelbookmarks (updateat);

CREATE UNIQUE INDEX channelmemberhistory_pkey
	ON channelmemberhistory (channelid, userid, jointime); -- primary key

CREATE UNIQUE INDEX clusterdiscovery_pkey ON clusterdiscovery (id); -- primary key

CREATE UNIQUE INDEX commands_pkey ON commands (id); -- primary key
CREATE INDEX idx_command_create_at ON commands (createat);
CREATE INDEX idx_command_delete_at ON commands (deleteat);
CREATE INDEX idx_command_team_id ON commands (teamid);
CREATE INDEX idx_command_update_at ON commands (updateat);

CREATE UNIQUE INDEX commandwebhooks_pkey ON commandwebhooks (id); -- primary key
CREATE INDEX idx_command_webhook_create_at ON commandwebhooks (createat);

CREATE UNIQUE INDEX compliances_pkey ON compliances (id); -- primary key

CREATE UNIQUE INDEX contentflaggingcommonreviewers_pkey
	ON contentflaggingcommonreviewers (userid); -- primary key

CREATE UNIQUE INDEX contentflaggingteamreviewers_pkey
	ON contentflaggingteamreviewers (teamid, userid); -- primary key
CREATE INDEX idx_contentflaggingteamreviewers_userid ON contentflaggingteamreviewers (userid);

CREATE UNIQUE INDEX contentflaggingteamsettings_pkey
	ON contentflaggingteamsettings (teamid); -- primary key

CREATE UNIQUE INDEX desktoptokens_pkey ON desktoptokens (token); -- primary key
CREATE INDEX idx_desktoptokens_token_createat ON desktoptokens (token, createat);

CREATE UNIQUE INDEX drafts_pkey ON drafts (userid, channelid, rootid); -- primary key

CREATE UNIQUE INDEX emoji_pkey ON emoji (id); -- primary key
CREATE UNIQUE INDEX emoji_name_deleteat_key ON emoji (name, deleteat); -- unique
CREATE INDEX idx_emoji_create_at ON emoji (createat);
CREATE INDEX idx_emoji_delete_at ON emoji (deleteat);
CREATE INDEX idx_emoji_update_at ON emoji (updateat);

CREATE UNIQUE INDEX groupchannels_pkey ON groupchannels (groupid, channelid); -- primary key
CREATE INDEX idx_groupchannels_channelid ON groupchannels (channelid);
CREATE INDEX idx_groupchannels_schemeadmin ON groupchannels (schemeadmin);

CREATE UNIQUE INDEX groupmembers_pkey ON groupmembers (groupid, userid); -- primary key
CREATE INDEX idx_groupmembers_create_at ON groupmembers (createat);

CREATE UNIQUE INDEX groupteams_pkey ON groupteams (groupid, teamid); -- primary key
CREATE INDEX idx_groupteams_schemeadmin ON groupteams (schemeadmin);
CREATE INDEX idx_groupteams_teamid ON groupteams (teamid);

CREATE UNIQUE INDEX incomingwebhooks_pkey ON incomingwebhooks (id); -- primary key
CREATE INDEX idx_incoming_webhook_create_at ON incomingwebhooks (createat);
CREATE INDEX idx_incoming_webhook_delete_at ON incomingwebhooks (deleteat);
CREATE INDEX idx_incoming_webhook_team_id ON incomingwebhooks (teamid);
CREATE INDEX idx_incoming_webhook_update_at ON incomingwebhooks (updateat);
CREATE INDEX idx_incoming_webhook_user_id ON incomingwebhooks (userid);

CREATE UNIQUE INDEX jobs_pkey ON jobs (id); -- primary key
CREATE INDEX idx_jobs_status_type ON jobs (status, type);
CREATE INDEX idx_jobs_type ON jobs (type);

CREATE UNIQUE INDEX licenses_pkey ON licenses (id); -- primary key

CREATE UNIQUE INDEX linkmetadata_pkey ON linkmetadata (hash); -- primary key
CREATE INDEX idx_link_metadata_url_timestamp ON linkmetadata (url, "timestamp");

CREATE UNIQUE INDEX notifyadmin_pkey
	ON notifyadmin (userid, requiredfeature, requiredplan); -- primary key

CREATE UNIQUE INDEX oauthaccessdata_pkey ON oauthaccessdata (token); -- primary key
CREATE INDEX idx_oauthaccessdata_refresh_token ON oauthaccessdata (refreshtoken);
CREATE INDEX idx_oauthaccessdata_user_id ON oauthaccessdata (userid);
CREATE UNIQUE INDEX oauthaccessdata_clientid_userid_key
	ON oauthaccessdata (clientid, userid); -- unique

CREATE UNIQUE INDEX oauthapps_pkey ON oauthapps (id); -- primary key
CREATE INDEX idx_oauthapps_creator_id ON oauthapps (creatorid);

CREATE UNIQUE INDEX oauthauthdata_pkey ON oauthauthdata (code); -- primary key

CREATE UNIQUE INDEX outgoingoauthconnections_pkey ON outgoingoauthconnections (id); -- primary key
CREATE INDEX idx_outgoingoauthconnections_name ON outgoingoauthconnections (name);

CREATE UNIQUE INDEX outgoingwebhooks_pkey ON outgoingwebhooks (id); -- primary key
CREATE INDEX idx_outgoing_webhook_create_at ON outgoingwebhooks (createat);
CREATE INDEX idx_outgoing_webhook_delete_at ON outgoingwebhooks (deleteat);
CREATE INDEX idx_outgoing_webhook_team_id ON outgoingwebhooks (teamid);
CREATE INDEX idx_outgoing_webhook_update_at ON outgoingwebhooks (updateat);

CREATE UNIQUE INDEX persistentnotifications_pkey ON persistentnotifications (postid); -- primary key

CREATE UNIQUE INDEX pluginkeyvaluestore_pkey ON pluginkeyvaluestore (pluginid, pkey); -- primary key

CREATE UNIQUE INDEX postacknowledgements_pkey
	ON postacknowledgements (postid, userid); -- primary key

CREATE UNIQUE INDEX postreminders_pkey ON postreminders (postid, userid); -- primary key
CREATE INDEX idx_postreminders_targettime ON postreminders (targettime);

CREATE UNIQUE INDEX postspriority_pkey ON postspriority (postid); -- primary key

CREATE UNIQUE INDEX productnoticeviewstate_pkey
	ON productnoticeviewstate (userid, noticeid); -- primary key
CREATE INDEX idx_notice_views_notice_id ON productnoticeviewstate (noticeid);
CREATE INDEX idx_notice_views_timestamp ON productnoticeviewstate ("timestamp");

CREATE UNIQUE INDEX propertyfields_pkey ON propertyfields (id); -- primary key
CREATE INDEX idx_propertyfields_create_at_id ON propertyfields (createat, id);
CREATE UNIQUE INDEX idx_propertyfields_unique
	ON propertyfields (groupid, targetid, name) WHERE deleteat = 0;

CREATE UNIQUE INDEX propertygroups_pkey ON propertygroups (id); -- primary key
CREATE UNIQUE INDEX propertygroups_name_key ON propertygroups (name); -- unique

CREATE UNIQUE INDEX propertyvalues_pkey ON propertyvalues (id); -- primary key
CREATE INDEX idx_propertyvalues_create_at_id ON propertyvalues (createat, id);
CREATE INDEX idx_propertyvalues_targetid_groupid ON propertyvalues (targetid, groupid);
CREATE UNIQUE INDEX idx_propertyvalues_unique
	ON propertyvalues (groupid, targetid, fieldid) WHERE deleteat = 0;

CREATE UNIQUE INDEX readreceipts_pkey ON readreceipts (postid, userid); -- primary key
CREATE INDEX idx_read_receipts_post_id ON readreceipts (postid);
CREATE INDEX idx_read_receipts_user_id_post_id_expire_at ON readreceipts (userid, postid, expireat);

CREATE UNIQUE INDEX recapchannels_pkey ON recapchannels (id); -- primary key
CREATE INDEX idx_recap_channels_channel_id ON recapchannels (channelid);
CREATE INDEX idx_recap_channels_recap_id ON recapchannels (recapid);

CREATE UNIQUE INDEX recaps_pkey ON recaps (id); -- primary key
CREATE INDEX idx_recaps_bot_id ON recaps (botid);
CREATE INDEX idx_recaps_create_at ON recaps (createat);
CREATE INDEX idx_recaps_user_id ON recaps (userid);
CREATE INDEX idx_recaps_user_id_delete_at ON recaps (userid, deleteat);
CREATE INDEX idx_recaps_user_id_read_at ON recaps (userid, readat);

CREATE UNIQUE INDEX recentsearches_pkey ON recentsearches (userid, searchpointer); -- primary key

CREATE UNIQUE INDEX remoteclusters_pkey ON remoteclusters (remoteid, name); -- primary key

CREATE UNIQUE INDEX retentionidsfordeletion_pkey ON retentionidsfordeletion (id); -- primary key
CREATE INDEX idx_retentionidsfordeletion_tablename ON retentionidsfordeletion (tablename);

CREATE UNIQUE INDEX retentionpolicies_pkey ON retentionpolicies (id); -- primary key
CREATE INDEX idx_retentionpolicies_displayname ON retentionpolicies (displayname);

CREATE UNIQUE INDEX retentionpolicieschannels_pkey
	ON retentionpolicieschannels (channelid); -- primary key
CREATE INDEX idx_retentionpolicieschannels_policyid ON retentionpolicieschannels (policyid);

CREATE UNIQUE INDEX retentionpoliciesteams_pkey ON retentionpoliciesteams (teamid); -- primary key
CREATE INDEX idx_retentionpoliciesteams_policyid ON retentionpoliciesteams (policyid);

CREATE UNIQUE INDEX roles_pkey ON roles (id); -- primary key
CREATE INDEX idx_roles_scheme_id ON roles (schemeid);
CREATE UNIQUE INDEX roles_name_key ON roles (name); -- unique

CREATE UNIQUE INDEX scheduledposts_pkey ON scheduledposts (id); -- primary key
CREATE INDEX idx_scheduledposts_userid_channel_id_scheduled_at
	ON scheduledposts (userid, channelid, scheduledat);

CREATE UNIQUE INDEX schemes_pkey ON schemes (id); -- primary key
CREATE INDEX idx_schemes_channel_admin_role ON schemes (defaultchanneladminrole);
CREATE INDEX idx_schemes_channel_guest_role ON schemes (defaultchannelguestrole);
CREATE INDEX idx_schemes_channel_user_role ON schemes (defaultchanneluserrole);
CREATE UNIQUE INDEX schemes_name_key ON schemes (name); -- unique

CREATE UNIQUE INDEX sessions_pkey ON sessions (id); -- primary key
CREATE INDEX idx_sessions_create_at ON sessions (createat);
CREATE INDEX idx_sessions_expires_at ON sessions (expiresat);
CREATE INDEX idx_sessions_last_activity_at ON sessions (lastactivityat);
CREATE INDEX idx_sessions_token ON sessions (token);
CREATE INDEX idx_sessions_user_id ON sessions (userid);

CREATE UNIQUE INDEX sharedchannelattachments_pkey ON sharedchannelattachments (id); -- primary key
CREATE UNIQUE INDEX sharedchannelattachments_fileid_remoteid_key
	ON sharedchannelattachments (fileid, remoteid); -- unique

CREATE UNIQUE INDEX sharedchannelremotes_pkey
	ON sharedchannelremotes (id, channelid); -- primary key
CREATE UNIQUE INDEX sharedchannelremotes_channelid_remoteid_key
	ON sharedchannelremotes (channelid, remoteid); -- unique

CREATE UNIQUE INDEX sharedchannels_pkey ON sharedchannels (channelid); -- primary key
CREATE UNIQUE INDEX sharedchannels_sharename_teamid_key
	ON sharedchannels (sharename, teamid); -- unique

CREATE UNIQUE INDEX sharedchannelusers_pkey ON sharedchannelusers (id); -- primary key
CREATE INDEX idx_sharedchannelusers_remote_id ON sharedchannelusers (remoteid);
CREATE UNIQUE INDEX sharedchannelusers_userid_channelid_remoteid_key
	ON sharedchannelusers (userid, channelid, remoteid); -- unique

CREATE UNIQUE INDEX sidebarcategories_pkey ON sidebarcategories (id); -- primary key
CREATE INDEX idx_sidebarcategories_userid_teamid ON sidebarcategories (userid, teamid);

CREATE UNIQUE INDEX sidebarchannels_pkey
	ON sidebarchannels (channelid, userid, categoryid); -- primary key
CREATE INDEX idx_sidebarchannels_categoryid ON sidebarchannels (categoryid);

CREATE UNIQUE INDEX status_pkey ON status (userid); -- primary key
CREATE INDEX idx_status_status_dndendtime ON status (status, dndendtime);

CREATE UNIQUE INDEX systems_pkey ON systems (name); -- primary key

CREATE UNIQUE INDEX teams_pkey ON teams (id); -- primary key
CREATE INDEX idx_teams_create_at ON teams (createat);
CREATE INDEX idx_teams_delete_at ON teams (deleteat);
CREATE INDEX idx_teams_invite_id ON teams (inviteid);
CREATE INDEX idx_teams_scheme_id ON teams (schemeid);
CREATE INDEX idx_teams_update_at ON teams (updateat);
CREATE UNIQUE INDEX teams_name_key ON teams (name); -- unique

CREATE UNIQUE INDEX temporaryposts_pkey ON temporaryposts (postid); -- primary key
CREATE INDEX idx_temporary_posts_expire_at ON temporaryposts (expireat);

CREATE UNIQUE INDEX termsofservice_pkey ON termsofservice (id); -- primary key

CREATE UNIQUE INDEX tokens_pkey ON tokens (token); -- primary key

CREATE UNIQUE INDEX translations_pkey
	ON translations (objectid, objecttype, dstlang); -- primary key
CREATE INDEX idx_translations_channel_updateat
	ON translations (channelid, objecttype, updateat DESC, dstlang);
CREATE INDEX idx_translations_state ON translations (state) WHERE state = 'processing';

CREATE UNIQUE INDEX uploadsessions_pkey ON uploadsessions (id); -- primary key
CREATE INDEX idx_uploadsessions_create_at ON uploadsessions (createat);
CREATE INDEX idx_uploadsessions_type ON uploadsessions (type);
CREATE INDEX idx_uploadsessions_user_id ON uploadsessions (userid);

CREATE UNIQUE INDEX useraccesstokens_pkey ON useraccesstokens (id); -- primary key
CREATE INDEX idx_user_access_tokens_user_id ON useraccesstokens (userid);
CREATE UNIQUE INDEX useraccesstokens_token_key ON useraccesstokens (token); -- unique

CREATE UNIQUE INDEX usergroups_pkey ON usergroups (id); -- primary key
CREATE INDEX idx_usergroups_delete_at ON usergroups (deleteat);
CREATE INDEX idx_usergroups_displayname ON usergroups (displayname);
CREATE INDEX idx_usergroups_remote_id ON usergroups (remoteid);
CREATE UNIQUE INDEX usergroups_name_key ON usergroups (name); -- unique
CREATE UNIQUE INDEX usergroups_source_remoteid_key ON usergroups (source, remoteid); -- unique

CREATE UNIQUE INDEX usertermsofservice_pkey ON usertermsofservice (userid); -- primary key

CREATE UNIQUE INDEX db_migrations_pkey ON db_migrations (version); -- primary key

CREATE UNIQUE INDEX db_lock_pkey ON db_lock (id); -- primary key
