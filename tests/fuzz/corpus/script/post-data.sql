--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
SET default_tablespace = '';

--
-- Name: posts posts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);


ALTER TABLE ONLY "Plug in"."Odd "" name"
    ADD CONSTRAINT "Odd "" name_The text_key" UNIQUE ("The text");

CREATE INDEX idx_posts_message_txt ON public.posts USING gin (to_tsvector('english'::regconfig, (message)::text));
CREATE UNIQUE INDEX "x;y" ON ONLY public.days USING btree (day) WHERE (what <> 'a;b'::text);
ALTER INDEX public.days_pkey ATTACH PARTITION public.days_1_pkey;
CREATE TRIGGER t BEFORE INSERT ON public.posts FOR EACH ROW EXECUTE FUNCTION public.f('it''s;', E'\\;');
CREATE RULE r AS
    ON UPDATE TO public.v DO INSTEAD ( UPDATE public.a SET x = 1;
 UPDATE public.b SET y = 2;
);
COMMENT ON INDEX public.a IS $tag$ ; $other$ ; $tag$; /* a; /* nested; */ */
ALTER TABLE ONLY public.a
    ADD CONSTRAINT fk FOREIGN KEY (x) REFERENCES public.b(y) ON DELETE CASCADE;
