-- Mattermost 11.6: materialised views. They hold what the tables hold when this runs; the server
-- refreshes them every night. No index of a table is needed for them.
--
-- Fact  docs/mattermost-facts.md "Materialised views"

-- Posts per author and UTC day.
CREATE MATERIALIZED VIEW poststats AS
SELECT userid,
       (to_timestamp(createat / 1000) AT TIME ZONE 'UTC')::date AS day,
       count(*) AS numposts,
       max(createat) AS lastpostdate
  FROM posts
 GROUP BY 1, 2;

CREATE INDEX idx_poststats_userid ON poststats (userid);

-- Posts per UTC day and team, of everybody and of bots.
CREATE MATERIALIZED VIEW posts_by_team_day AS
SELECT (to_timestamp(post.createat / 1000) AT TIME ZONE 'UTC')::date AS day,
       count(*) AS num,
       channel.teamid
  FROM posts AS post
  JOIN channels AS channel ON channel.id = post.channelid
 GROUP BY 1, 3;

CREATE MATERIALIZED VIEW bot_posts_by_team_day AS
SELECT (to_timestamp(post.createat / 1000) AT TIME ZONE 'UTC')::date AS day,
       count(*) AS num,
       channel.teamid
  FROM posts AS post
  JOIN bots AS bot ON bot.userid = post.userid
  JOIN channels AS channel ON channel.id = post.channelid
 GROUP BY 1, 3;

CREATE MATERIALIZED VIEW file_stats AS
SELECT count(*) AS num,
       coalesce(sum(size), 0) AS usage
  FROM fileinfo
 WHERE deleteat = 0;

-- Per target the values of its properties by field name. Values of select and multiselect fields
-- are ids of options; what is shown are the options' names.
CREATE MATERIALIZED VIEW attributeview AS
SELECT val.groupid,
       val.targetid,
       val.targettype,
       jsonb_object_agg(field.name, CASE
           WHEN field.type = 'select' THEN (
               SELECT opt -> 'name'
                 FROM jsonb_array_elements(field.attrs -> 'options') AS opt
                WHERE opt ->> 'id' = val.value #>> '{}'
                LIMIT 1)
           WHEN field.type = 'multiselect' AND jsonb_typeof(val.value) = 'array' THEN (
               SELECT jsonb_agg(opt -> 'name')
                 FROM jsonb_array_elements_text(val.value) AS chosen (id)
                 JOIN jsonb_array_elements(field.attrs -> 'options') AS opt
                   ON opt ->> 'id' = chosen.id)
           ELSE val.value
       END) AS attributes
  FROM propertyvalues AS val
  JOIN propertyfields AS field ON field.id = val.fieldid
 WHERE coalesce(val.deleteat, 0) = 0
   AND coalesce(field.deleteat, 0) = 0
 GROUP BY val.groupid, val.targetid, val.targettype;
