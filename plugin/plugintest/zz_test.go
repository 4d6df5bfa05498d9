package plugintest_test
import ("context";"net/http";"os";"sync";"testing";"github.com/grapnel-gateway/grapnel";"github.com/grapnel-gateway/grapnel/plugin/coprocess";"github.com/grapnel-gateway/grapnel/plugin/plugintest")
type bad struct{grapnel.Plugin; mode string}
type badB struct{grapnel.Binding; mode string; mu *sync.Mutex; last *string}
func (b bad) Bind(a *grapnel.API,h grapnel.Hook)(grapnel.Binding,error){ bb,err:=b.Plugin.Bind(a,h)
 if b.mode=="bindcalls" { x:=&grapnel.Exchange{API:a}; r,_:=http.NewRequest("GET","/suite/x",nil); x.Request=r; bb.Request(context.Background(),x)}
 s:=""
 return badB{bb,b.mode,&sync.Mutex{},&s},err}
func (b bad) State() string { if b.mode=="state" {return "idle"}; return b.Plugin.State()}
func (b bad) Close() error { if b.mode=="close" {return nil}; return b.Plugin.Close()}
func (b badB) Request(ctx context.Context,x *grapnel.Exchange)(*http.Response,error){
 switch b.mode { case "mutate": x.Request.Header.Set("X-Bad","1")
 case "noctx": ctx=context.WithoutCancel(ctx)
 case "swallow": r,_:=b.Binding.Request(ctx,x); return r,nil
 case "mix": defer func(){ b.mu.Lock(); if *b.last!="" { x.Request.Header.Set("X-Stamp",*b.last)}; *b.last=x.Request.Header.Get("X-Stamp"); b.mu.Unlock()}()
 case "invent": c,f:=context.WithTimeout(ctx,3e9); defer f(); ctx=c }
 return b.Binding.Request(ctx,x)}
func (b badB) Response(ctx context.Context,x *grapnel.Exchange,r *http.Response) error{
 if b.mode=="mutateresp" { r.StatusCode=201 }
 return b.Binding.Response(ctx,x,r)}
func TestZZ(t *testing.T){ plugintest.Suite(t, func(t *testing.T, s grapnel.PluginServer) grapnel.Plugin { c,err:=coprocess.New(s); if err!=nil{t.Fatal(err)}; return bad{c,os.Getenv("MODE")}}) }
